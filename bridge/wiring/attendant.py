"""
Attends to one call: dials the model, conducts the call, keeps its record, carries out its end.

This is where the rooms meet: the agent's tools and hooks, the runner, the call, the store.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable, Mapping
from contextlib import AsyncExitStack
from dataclasses import replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from bridge.agent.dispatcher import Dispatcher
from bridge.agent.hooks import HookEvent, Transferred
from bridge.audio.transcode import transcoder
from bridge.call.conductor import Conductor
from bridge.call.ear import Ear
from bridge.call.machine import Call
from bridge.call.patience import CallRules
from bridge.call.timeline import Timeline
from bridge.call.vocabulary import Finishing, ModelReady, Over, Wish
from bridge.errors import BridgeError, Ending, Fault, RealtimeError
from bridge.ports import leg
from bridge.ports.mail import ChangeWish
from bridge.ports.session import RealtimeConfig
from bridge.ports.store import CallRecord, Claim, Left, Line
from bridge.telemetry.logs import in_call
from bridge.wiring.carryover import entries, lines, runner_of, snapshot
from bridge.wiring.chronicle import Chronicle
from bridge.wiring.control import Control
from bridge.wiring.formats import AudioPath
from bridge.wiring.journal import CallJournal
from bridge.wiring.keeper import Keeper
from bridge.wiring.letters import Letters
from bridge.wiring.lifesigns import LifeSigns
from bridge.wiring.tallies import carried

if TYPE_CHECKING:
    from bridge.wiring.service import Service

__all__ = ["Attendant"]

NOTED_SECONDS = 5.0  # of the timeline that a record may lack
ASIDE_SECONDS = 2.0  # that a newer leg of the same call waits for the older one to let go

_log = logging.getLogger(__name__)


class Attendant:
    """One call on this worker, from before its leg is there until after it is gone."""

    def __init__(self, service: Service, path: AudioPath, record: CallRecord) -> None:
        self._service = service
        self._path = path
        self._record = self._latest = record
        self._clock = asyncio.get_running_loop().time
        self._began = self._clock()
        lasted = time.time() - record.started_at if record.timeline else 0.0
        self.timeline = Timeline(self._began - lasted, entries(record.timeline))
        self._noted, self._noted_at = record.timeline, float("-inf")
        agent = service.agent
        config = path.configure(record.config or agent.config())
        self._journal = CallJournal(service.store.tools, service.metrics)
        self._runner = runner_of(record, config, service.model, self._journal)
        self._control = Control(
            agent.transfer_targets,
            wish=self._tell,
            transferred=lambda name: self._tell_hooks(Transferred(name)),
            update=self._runner.update_session_with_bridge,
        )
        self._context = agent.context(
            record.call_id,
            self._control,
            caller=record.caller,
            called=record.called,
            parameters=record.parameters,
            started_at=datetime.fromtimestamp(record.started_at, UTC),
        )
        # All of them are known, but offered is what the configuration names: an update may
        # have taken some away.
        self._runner.register_tools(tool.bind(self._context) for tool in agent.tools)
        self._dialling: asyncio.Task[None] | None = None
        self._conductor: Conductor | None = None
        self._hooks: Dispatcher | None = None
        self._keeper: Keeper | None = None
        self._letters: Letters | None = None
        self._call: Call | None = None
        self._cut = record.cut
        self._left = Left.WORKER_LOST
        """How this worker lets go of the leg, once it does."""
        self._returns = True
        self._gone = asyncio.Event()

    # As the operator sees it

    @property
    def call_id(self) -> str:
        return self._record.call_id

    @property
    def carrier(self) -> str:
        return self._record.carrier

    @property
    def started_at(self) -> float:
        return self._record.started_at

    def dial(self) -> None:
        """Connect to the model, before the caller is there."""
        with in_call(self.call_id):
            self._dialling = asyncio.create_task(self._dial(), name="dial")

    async def attend(
        self, caller: leg.Leg, claim: Claim, since: float, *, returns: bool = True
    ) -> Ending:
        """
        Conduct the call until it is over on this leg, which asked for it at `since` (seconds,
        the loop's clock); returns why. `returns`: whether it comes back when the leg is lost.
        """
        self._returns = returns
        self._journal.held(claim)
        if self._dialling is None:
            self.dial()
        assert self._dialling is not None
        metrics = self._service.metrics
        metrics.call_started(self.carrier)
        ending = Ending(Fault.BRIDGE, "fault")
        try:
            with in_call(self.call_id), self._service.switchboard.connect(self):
                if claim.resumed:
                    self._dialling.add_done_callback(lambda _: self._resumed(since))
                over = await self._conduct(caller, claim)
                ending = over.ending
        finally:
            metrics.call_ended(self.carrier, ending)
            self._gone.set()
        return ending

    async def abandon(self) -> None:
        """Let go of the model, and let nobody steer the call any more."""
        if self._dialling is not None:
            self._dialling.cancel()
            await asyncio.gather(self._dialling, return_exceptions=True)
        await self._runner.close()
        self._control.end()

    # What others want of the call

    @property
    def returns(self) -> bool:
        return self._returns

    @property
    def at_boundary(self) -> bool:
        return self._call is not None and self._call.at_boundary

    def hand_over(self) -> None:
        self._left = Left.HANDED_OVER
        self._tell(leg.Ended(Ending(Fault.OPERATOR, "handed_over"), lost=True))

    def step_aside(self) -> None:
        """Somebody else holds the call now, or it comes back on another leg."""
        self._tell(leg.Ended(Ending(Fault.NOBODY, "superseded"), lost=True))

    async def gone(self) -> None:
        """Return when this leg has been let go of; not later than ASIDE_SECONDS."""
        try:
            async with asyncio.timeout(ASIDE_SECONDS):
                await self._gone.wait()
        except TimeoutError:
            _log.warning("the older leg of the call does not let go")

    def end(self, ending: Ending, verdict: leg.Verdict) -> None:
        """Somebody says that the call is over now, whatever is being said."""
        self._tell(Finishing(verdict, ending, after_words=False))

    def look_after_mail(self) -> None:
        if self._letters is not None:
            self._letters.look()

    async def change(self, change: RealtimeConfig, bridge_message: str | None) -> str:
        """Change the session; returns what became of it: applied or queued."""
        result = await self._runner.update_session_with_bridge(change, bridge_message)
        return result.value

    # At work

    async def _grant(self, wish: ChangeWish) -> None:
        """Do what a letter asks for, once there is a session, and keep what came of it."""
        assert self._dialling is not None
        assert self._keeper is not None
        await asyncio.wait([self._dialling])
        await self.change(wish.change, wish.bridge_message)
        await self._keeper.flush()

    async def _dial(self) -> None:
        metrics, provider = self._service.metrics, self._service.model.provider
        begun = self._clock()
        outcome = "connected"
        try:
            await self._runner.connect()
        except RealtimeError as exc:
            outcome = type(exc).__name__
            raise
        except Exception as exc:
            _log.exception("a fault of ours while the model was dialled")
            outcome = "fault"
            raise BridgeError("a fault of the bridge") from exc
        finally:
            metrics.provider_connected(provider, outcome, self._clock() - begun)

    def _resumed(self, since: float) -> None:
        """The call is on a new leg; so is the conversation, if there is a session."""
        metrics, cause, memory = self._service.metrics, self._record.left, self._runner.memory
        if memory is None:
            metrics.resumption_failed(cause)
        else:
            metrics.resumed(cause, memory, self._clock() - since)

    async def _conduct(self, caller: leg.Leg, claim: Claim) -> Over:
        assert self._dialling is not None
        service = self._service
        keeper = self._keeper = Keeper(
            service.store, claim, self._snapshot, self.step_aside, mail=self.look_after_mail
        )
        hooks = Dispatcher(service.agent.hooks, self._context, failed=service.metrics.hook_failed)
        async with AsyncExitStack() as stack:
            stack.callback(self._let_go)
            self._hooks = await stack.enter_async_context(hooks)
            # The hooks may take their time; who comes next need not wait for them.
            stack.callback(self._gone.set)
            stack.push_async_callback(self.abandon)
            await stack.enter_async_context(keeper)
            self._journal.kept(keeper.flush)
            chronicle = self._chronicle(keeper, resumed=claim.resumed)
            conductor = self._conductor = self._new_conductor(caller, chronicle)
            stack.enter_context(LifeSigns(lambda: caller.frames_in, conductor.tell))
            stack.enter_context(service.tallies.keep(self._count(caller, conductor)))
            letters = Letters(service.store.mailbox, claim, self._grant, self.step_aside)
            self._letters = await stack.enter_async_context(letters)
            keeper.touch()
            try:
                # A call that was lost before a word was said begins anew, greeting and all.
                resumed = claim.resumed and bool(self._record.history)
                ready = ModelReady(resumed, self._record.cut)
                over = await conductor.conduct(self._dialling, ready)
            except BaseException:
                await keeper.release()
                raise
            await self._carry_out(over, caller, keeper)
            if not over.lost or not self._returns:
                chronicle.ended(over.ending, time.time() - self.started_at)
        return over

    def _let_go(self) -> None:
        """
        It is over. What knows each other in a circle would stay until the garbage collector
        comes, for which every call of the worker has to wait.
        """
        self._conductor = self._hooks = self._keeper = self._letters = self._dialling = None
        self._journal.kept(None)
        self._runner.attach(None)

    async def _carry_out(self, over: Over, caller: leg.Leg, keeper: Keeper) -> None:
        """What becomes of the call: the verdict is stored before the carrier can ask for it."""
        assert self._call is not None
        if self._call.begun:
            self._cut = over.cut
        self._call = None
        if over.lost and self._returns:
            if self._left is not Left.HANDED_OVER:
                self._left = Left.LEG_LOST
            await keeper.release(planned=self._left is Left.HANDED_OVER)
            return
        verdict = over.verdict or leg.Hangup()
        await keeper.end(verdict)
        caller.do(leg.Finish(verdict))

    def _new_conductor(self, caller: leg.Leg, chronicle: Chronicle) -> Conductor:
        call = self._call = Call(self._rules(), self._path.leg, self._clock())
        return Conductor(
            call,
            caller,
            self._runner,
            format=self._path.leg,
            to_model=transcoder(self._path.leg, self._path.model_in, piece_ms=self._path.append_ms),
            to_caller=transcoder(self._path.model_out, self._path.leg),
            observer=chronicle,
            ear=None if self._service.model.tells_speech else Ear(self._path.leg),
        )

    def _rules(self) -> CallRules:
        """The rules of what is left of the call: it may have lasted a while on other legs."""
        rules = self._service.rules
        gone = max(time.time() - self.started_at, 0.0)
        return replace(rules, longest_seconds=max(rules.longest_seconds - gone, 0.0))

    def _chronicle(self, keeper: Keeper, *, resumed: bool) -> Chronicle:
        return Chronicle(
            self.timeline,
            self._service.metrics,
            self._service.model.provider,
            tell=self._tell_hooks,
            worth_keeping=keeper.touch,
            turn_over=keeper.hurry,
            resumed=resumed,
        )

    def _tell(self, event: leg.Ended | Wish) -> None:
        if self._conductor is not None:
            self._conductor.tell(event)

    def _tell_hooks(self, event: HookEvent) -> None:
        if self._hooks is not None:
            self._hooks.dispatch(event)

    def _snapshot(self) -> CallRecord:
        """What another leg, or another worker, needs to go on."""
        begun = self._call is not None and self._call.begun
        self._latest = snapshot(
            self._latest,
            self._runner,
            heard=self._heard(),
            cut=self._call.cut if self._call is not None and begun else self._cut,
            left=self._left,
            timeline=self._lines(),
        )
        return self._latest

    def _lines(self) -> tuple[Line, ...]:
        """The timeline for the record, which need not have its last few seconds."""
        now, over = self._clock(), self._left is not Left.WORKER_LOST
        if over or now - self._noted_at >= NOTED_SECONDS:
            self._noted_at, self._noted = now, lines(self.timeline)
        return self._noted

    def _heard(self) -> Mapping[str, float]:
        """How much the caller has heard of what the agent is saying just now."""
        if self._call is None:
            return {}
        return {cut.item_id: cut.heard_ms for cut in self._call.unheard(self._clock())}

    def _count(self, caller: leg.Leg, conductor: Conductor) -> Callable[[], None]:
        service, path = self._service, self._path
        return carried(
            service.metrics.flow(self.carrier),
            service.metrics.flow(service.model.provider),
            frames=lambda: caller.frames_in,
            sent=lambda: path.leg.duration_ms(conductor.audio_out) / 1000,
            dropped=lambda: path.model_in.duration_ms(self._runner.dropped_audio) / 1000,
        )
