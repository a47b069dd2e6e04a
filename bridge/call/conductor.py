"""
Carries a call out: hands the machine what happens, and does what it decides.

Rule: an event is decided on and answered in the loop turn in which it arrives. The
caller's audio passes the machine by: from the leg through the codec to the runner, with
nothing to wait for in between.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Coroutine
from typing import Any

from bridge.audio.transcode import Transcoder
from bridge.call.machine import Call
from bridge.call.vocabulary import (
    AskResponse,
    CallCommand,
    CallEvent,
    Happened,
    Interrupt,
    ModelFailed,
    ModelReady,
    Over,
    Tell,
    TimeIsUp,
    Truncate,
    Voice,
)
from bridge.errors import BridgeError, Ending, Fault, NotConnected
from bridge.ports import leg, phrases
from bridge.ports import server_events as model
from bridge.ports.leg import Leg
from bridge.ports.runner import Runner
from bridge.ports.runner_events import RunnerEvent

__all__ = ["Conductor", "Observer"]

_log = logging.getLogger(__name__)


class Observer:
    """Whoever wants to know what happens in a call inherits and overrides."""

    def moment(self, happened: Happened, now: float) -> None:
        """A line of the timeline."""

    def model(self, happened: RunnerEvent) -> None:
        """Every event of the runner's but its audio."""

    def digit(self, digit: str) -> None:
        """The caller pressed a key."""

    def cleared(self, seconds: float) -> None:
        """The caller was heard to speak over the agent; `clear` left after so long."""


class Conductor:
    """
    One call between a leg and a runner.

    `to_model` and `to_caller` turn the leg's format into the session's and back.
    """

    def __init__(
        self,
        call: Call,
        caller: Leg,
        runner: Runner,
        *,
        to_model: Transcoder,
        to_caller: Transcoder,
        observer: Observer,
        clock: Callable[[], float],
    ) -> None:
        self._call = call
        self._leg = caller
        self._runner = runner
        self._to_model = to_model
        self._to_caller = to_caller
        self._observer = observer
        self._clock = clock
        self._timer: asyncio.TimerHandle | None = None
        self._tasks: set[asyncio.Task[None]] = set()
        self._over: asyncio.Future[Over] = asyncio.get_running_loop().create_future()
        self.frames_in = 0
        self.audio_out = 0
        """Bytes of the agent's voice sent to the caller, in the leg's format."""

    async def conduct(self, dialled: Awaitable[None], ready: ModelReady) -> Over:
        """
        Go on until the call is over here. The verdict is the owner's to carry out.

        `dialled` returns when the model is ready, and raises when it cannot be had; `ready`
        is what the call is told then.
        """
        self._runner.attach(self._on_runner)
        self._leg.attach(self._on_leg)
        self._spawn(self._dial(dialled, ready))
        try:
            return await self._over
        finally:
            await self._let_go()

    def tell(self, event: CallEvent) -> None:
        """Something happened that neither the leg nor the runner tells: a wish of somebody's."""
        self._handle(event)

    # What happens

    def _on_leg(self, event: leg.LegEvent) -> None:
        if isinstance(event, leg.Heard):
            self.frames_in += 1
            self._runner.feed(self._to_model.feed(event.audio))
            return
        if isinstance(event, leg.Digit):
            self._observer.digit(event.digit)
        self._handle(event)

    def _on_runner(self, event: RunnerEvent) -> None:
        if isinstance(event, model.AudioDelta):
            audio = self._to_caller.feed(event.delta)
            if audio:
                self._handle(Voice(event.item_id, event.response_id, audio))
            return
        self._handle(event)
        self._observer.model(event)

    def _handle(self, event: CallEvent) -> None:
        if self._over.done():
            return
        now = self._clock()
        try:
            for command in self._call.handle(event, now):
                self._do(command, now)
        except BridgeError:
            raise
        except Exception:
            _log.exception("the call's own logic failed; the call ends with an apology")
            ending = Ending(Fault.BRIDGE, "fault", "a fault of the bridge")
            self._do(Over(ending, leg.Hangup(phrases.APOLOGY)), now)
        self._set_timer()

    # What is done about it

    def _do(self, command: CallCommand, now: float) -> None:
        match command:
            case leg.Play(audio):
                self.audio_out += len(audio)
                self._leg.do(command)
            case leg.Clear():
                self._leg.do(command)
                self._to_caller.reset()
                self._observer.cleared(self._clock() - now)
            case leg.Mark() | leg.Finish():
                self._leg.do(command)
            case AskResponse(instructions):
                self._runner.ask_response(instructions)
            case Truncate(item_id, heard_ms):
                self._runner.truncate(item_id, heard_ms)
            case Tell(message):
                self._runner.tell(message)
            case Interrupt():
                self._spawn(self._interrupt())
            case Happened():
                self._observer.moment(command, now)
            case Over():
                if not self._over.done():
                    self._over.set_result(command)

    async def _dial(self, dialled: Awaitable[None], ready: ModelReady) -> None:
        try:
            await dialled
        except BridgeError as exc:
            self._handle(ModelFailed(str(exc), exc.fault))
        else:
            self._handle(ready)

    async def _interrupt(self) -> None:
        try:
            await self._runner.interrupt()
        except NotConnected:
            _log.debug("nobody to interrupt: the session is being replaced")

    # Housekeeping

    def _spawn(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.create_task(work, name="conductor")
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    def _set_timer(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        deadline = self._call.deadline
        if deadline is not None and not self._over.done():
            wait = max(deadline - self._clock(), 0.0)
            loop = asyncio.get_running_loop()
            self._timer = loop.call_later(wait, self._handle, TimeIsUp())

    async def _let_go(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
        for task in tuple(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
