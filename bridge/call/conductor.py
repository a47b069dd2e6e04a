"""
Carries a call out: hands the machine what happens, and does what it decides.

Rule: an event is decided on and answered in the loop turn in which it arrives. The
caller's audio passes the machine by: from the leg through the codec to the runner, with
nothing to wait for in between. Whatever goes wrong in here ends this call, in an apology.
"""

from __future__ import annotations

import asyncio
import logging
from collections import deque
from collections.abc import Awaitable, Coroutine
from typing import Any

from bridge.alarm import Alarm
from bridge.audio.formats import AudioFormat
from bridge.audio.transcode import UNTOUCHED, Transcoder
from bridge.call.ear import Ear
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
from bridge.errors import BridgeError, Ending, Fault, RealtimeError
from bridge.nobody import nobody
from bridge.ports import leg
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

    def played(self) -> None:
        """The caller has heard a little more of the agent's voice."""

    def cleared(self, seconds: float) -> None:
        """The caller was heard to speak over the agent; `clear` left after so long."""


class Conductor:
    """
    One call between a runner and a leg whose audio is in `format`.

    `to_model` and `to_caller` turn the leg's format into the session's and back. `ear` listens
    to the caller where the model does not tell of speech.
    """

    def __init__(
        self,
        call: Call,
        caller: Leg,
        runner: Runner,
        *,
        format: AudioFormat,
        to_model: Transcoder,
        to_caller: Transcoder,
        observer: Observer,
        ear: Ear | None = None,
    ) -> None:
        self._ear = ear
        self._call = call
        self._leg = caller
        self._runner = runner
        self._format = format
        self._to_model = to_model
        self._to_caller = to_caller
        self._observer = observer
        loop = asyncio.get_running_loop()
        self._clock = loop.time  # the alarm's, too
        self._alarm = Alarm(lambda: self.tell(TimeIsUp()))
        self._waiting: deque[CallEvent] = deque()
        self._handling = False
        self._deaf = False  # as the machine is
        self._speaking = ("", "")
        self._tasks: set[asyncio.Task[None]] = set()
        self._over: asyncio.Future[Over] = loop.create_future()
        self.audio_out = 0
        """Bytes of the agent's voice sent to the caller, in the leg's format."""

    async def conduct(self, dialled: Awaitable[None], ready: ModelReady) -> Over:
        """
        Go on until the call is over here. The verdict is the owner's to carry out.

        `dialled` returns when the model is ready, and raises when it cannot be had; `ready`
        is what the call is told then.
        """
        self._listen()
        self._runner.attach(self._on_runner)
        self._spawn(self._dial(dialled, ready))
        try:
            return await self._over
        finally:
            await self._let_go()

    def tell(self, event: CallEvent) -> None:
        """Something happened that neither the leg nor the runner tells: a wish of somebody's."""
        try:
            self._handle(event)
        except Exception as exc:
            self._fail(exc)

    # What happens

    def _on_leg(self, event: leg.LegEvent) -> None:
        try:
            if isinstance(event, leg.Digit):
                self._observer.digit(event.digit)
            self._handle(event)
            if isinstance(event, leg.Played):
                self._observer.played()
        except Exception as exc:
            self._fail(exc)

    def _on_runner(self, event: RunnerEvent) -> None:
        try:
            if isinstance(event, model.AudioDelta):
                speaking = event.response_id, event.item_id
                if speaking != self._speaking:
                    self._speaking = speaking
                    self._to_caller.reset()  # nothing of what was said before sounds on
                audio = self._to_caller.feed(event.delta)
                if audio:
                    self._handle(Voice(event.item_id, event.response_id, audio))
            else:
                self._handle(event)
                self._observer.model(event)
                if self._ear is not None and isinstance(event, model.Interrupted):
                    self._tell_speech(self._ear)  # so it was no echo
        except Exception as exc:
            self._fail(exc)

    def _listen(self) -> None:
        """Hear the caller, as things are now: audio that nobody has to touch goes straight on."""
        hear: leg.Hear = self._hear_caller
        if self._over.done():
            hear = nobody
        elif self._deaf:
            hear = self._hear_silence
        elif self._to_model is UNTOUCHED and self._ear is None:
            hear = self._runner.feed
        self._leg.attach(self._on_leg, hear)

    def _hear_silence(self, audio: bytes) -> None:
        self._hear_caller(self._format.silent(len(audio)))

    def _hear_caller(self, audio: bytes) -> None:
        try:
            self._runner.feed(self._to_model.feed(audio))
            if self._ear is not None and self._ear.hear(audio):
                self._tell_speech(self._ear)
        except Exception as exc:
            self._fail(exc)

    def _tell_speech(self, ear: Ear) -> None:
        """What the model does not tell. Who is heard over the agent may be its own echo."""
        if not ear.speaking:
            self._handle(model.SpeechStopped())
        elif self._call.agent_silent:
            self._handle(model.SpeechStarted())

    def _handle(self, event: CallEvent) -> None:
        """Decide and do; what happens while it is done waits for its turn."""
        if self._handling:
            self._waiting.append(event)
            return
        self._handling, settled = True, False
        call, clock = self._call, self._clock
        try:
            while not self._over.done():
                now = clock()
                for command in call.handle(event, now):
                    self._do(command, now)
                settled = settled or call.settled
                if not self._waiting:
                    break
                event = self._waiting.popleft()
        finally:
            self._handling = False
        if settled:
            if call.deaf and not self._deaf:
                self._deaf = True
                self._listen()
            self._alarm.set(None if self._over.done() else call.deadline)

    def _fail(self, error: BaseException) -> None:
        _log.error("the call's own logic failed; the call ends with an apology", exc_info=error)
        ending = Ending(Fault.BRIDGE, "fault", "a fault of the bridge")
        self._end(Over(ending, self._call.apology))
        self._waiting.clear()

    def _end(self, over: Over) -> None:
        if not self._over.done():
            self._over.set_result(over)
            self._listen()

    # What is done about it

    def _do(self, command: CallCommand, now: float) -> None:
        match command:
            case leg.Play():
                self.audio_out += len(command.audio)
                self._leg.do(command)
            case leg.Clear():
                self._leg.do(command)
                self._to_caller.reset()
                self._observer.cleared(self._clock() - now)
            case leg.Press() | leg.Finish():
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
                self._end(command)

    async def _dial(self, dialled: Awaitable[None], ready: ModelReady) -> None:
        try:
            await dialled
        except BridgeError as exc:
            self.tell(ModelFailed(str(exc), exc.fault))
        else:
            self.tell(ready)

    async def _interrupt(self) -> None:
        try:
            await self._runner.interrupt()
        except RealtimeError:
            _log.debug("nobody to interrupt: the session is being replaced")

    # Housekeeping

    def _spawn(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.create_task(work, name="conductor")
        self._tasks.add(task)
        task.add_done_callback(self._task_done)

    def _task_done(self, task: asyncio.Task[None]) -> None:
        self._tasks.discard(task)
        if not task.cancelled() and (error := task.exception()) is not None:
            self._fail(error)

    async def _let_go(self) -> None:
        self._over.cancel()
        self._alarm.stop()
        tasks = tuple(self._tasks)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
