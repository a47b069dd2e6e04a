"""
The decisions of a runner.

Rule: nothing here waits, reads a clock or touches a session. `handle` is told what
happened and when, and returns what is to be done about it; `deadline` says when it wants
to hear TimeIsUp. At most one Mutate or Resume is under way at any time.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from bridge.errors import AuthError, NotConnected, RealtimeError, ResumptionRefused, SessionClosed
from bridge.ports import server_events as event
from bridge.ports.client_events import Message
from bridge.ports.model import Memory, RequiresResumption
from bridge.ports.runner_events import Cause, Lost, Resumed, ResumptionFailed
from bridge.ports.server_events import Drop, ServerEvent, Severity
from bridge.ports.session import RealtimeConfig, ToolDefinition
from bridge.runner.dialogue import Dialogue
from bridge.runner.lifetime import ROTATE_LATEST, Lifetime
from bridge.runner.resumption import MAX_ATTEMPTS, Pending, delay_before, worth_retrying
from bridge.runner.state import ExecutingTool, Generating, Idle, PendingResumption, RunnerState
from bridge.runner.updates import Updates
from bridge.runner.vocabulary import (
    Announce,
    Command,
    Connected,
    Connecting,
    Fact,
    Finish,
    Inherited,
    MessageAsked,
    Mutate,
    MutationDone,
    MutationFailed,
    ResponseAsked,
    Resume,
    ResumeFailed,
    TimeIsUp,
    ToolAnswered,
    UpdateAsked,
    UpdateResult,
    settle,
)

__all__ = ["RunnerMachine"]


class RunnerMachine:
    """One runner's state, from its first session to its last."""

    def __init__(
        self,
        config: RealtimeConfig,
        *,
        auto_execute_tools: bool = True,
        responds_to_tools: bool = False,
        overlaps_sessions: bool = True,
        token: str | None = None,
        unapplied: PendingResumption | None = None,
        jitter: Callable[[], float] = lambda: 0.0,
    ) -> None:
        self._overlaps = overlaps_sessions
        self._jitter = jitter
        self._life = Lifetime()
        inherited = Pending.inherited(unapplied) if unapplied is not None else None
        self._resuming = inherited.config if inherited is not None else None
        self._updates = Updates(config, self._resuming)
        self._dialogue = Dialogue(
            auto_execute_tools=auto_execute_tools, responds_to_tools=responds_to_tools
        )
        self._token = token
        self._pending = inherited
        self._pending_tickets: tuple[int, ...] = ()
        self._finished = False

    @property
    def config(self) -> RealtimeConfig:
        """The configuration that everybody has asked for so far."""
        return self._updates.desired

    @property
    def applied(self) -> RealtimeConfig:
        return self._updates.applied

    @property
    def unapplied(self) -> PendingResumption | None:
        """What everybody has asked for, and is not in force yet."""
        return self._updates.unapplied(self._pending)

    @property
    def offered(self) -> tuple[ToolDefinition, ...]:
        """The tools that the model may call just now, those it surely knows before the others."""
        return self._updates.offered

    @property
    def token(self) -> str | None:
        """The newest resume token, whenever it came; None while an older one would not do."""
        return self._token

    @property
    def state(self) -> RunnerState:
        if self._finished:
            return Idle()
        if (pending := self._pending) is not None:
            return PendingResumption(pending.config, pending.bridge_message, pending.attempts)
        if self._dialogue.executing:
            return ExecutingTool()
        return Generating() if self._dialogue.generating else Idle()

    @property
    def deadline(self) -> float | None:
        """Seconds, on the clock that `handle` is told; None: nothing to wait for."""
        if self._finished:
            return None
        candidates = (self._dialogue.deadline, self._life.rotate_at, self._resume_at)
        return min((at for at in candidates if at is not None and at != float("inf")), default=None)

    def handle(self, fact: Fact | ServerEvent, now: float) -> list[Command]:
        """What is to be done, in this order."""
        if self._finished:
            return []
        return self._note(fact, now) + self._next(now)

    def first_failed(self, error: RealtimeError, attempts: int) -> bool:
        """
        So many attempts at the first session have failed. Whether another one may help: if
        not with what an earlier runner was asked for, then without it.
        """
        if isinstance(error, ResumptionRefused):
            self._token = None
        if worth_retrying(error, attempts):
            self._pending = self._pending and replace(self._pending, attempts=attempts)
            return True
        inherited, self._pending, self._resuming = self._pending, None, None
        self._updates.revert()
        return inherited is not None and not isinstance(error, AuthError)

    # What happened

    def _note(self, fact: Fact | ServerEvent, now: float) -> list[Command]:
        match fact:
            case UpdateAsked():
                self._updates.ask(fact)
            case ResponseAsked():
                self._dialogue.want(fact)
            case MessageAsked(message):
                self._dialogue.tell(message)
            case ToolAnswered():
                self._dialogue.answered(fact)
            case Inherited(calls):
                return self._dialogue.inherit(calls)
            case Connecting():
                self._dialogue.pack()
            case Connected():
                return self._on_connected(fact, now)
            case ResumeFailed(error):
                return self._on_resume_failed(error, now)
            case MutationDone() | MutationFailed():
                return self._on_mutated(fact)
            case TimeIsUp():
                pass  # what follows from it follows from every other fact as well
            case _:
                return self._on_session(fact, now)
        return []

    def _on_session(self, happened: ServerEvent, now: float) -> list[Command]:
        if not self._life.connected:
            return []  # the session is gone, and what it says counts for nothing
        match happened:
            case event.ResumptionToken(token):
                self._token = token
            case event.GoingAway(seconds):
                self._want_rotation(now, now + seconds)
            case event.Error(error, Severity.FATAL, refused_response=False):
                reason = f"the provider refused: {error.code or error.type}"
                return self._give_up(Lost(Drop.REFUSED, reason))
            case event.Disconnected():
                return self._on_disconnected(happened, now)
            case _:
                pass
        return self._dialogue.note(happened, now)

    def _on_connected(self, session: Connected, now: float) -> list[Command]:
        self._updates.resumed(self._resuming or self._updates.applied)
        if self._life.connected:
            self._lose_session(now)
        self._life.begin(now, session.expires_in)
        self._resuming = None
        pending, self._pending = self._pending, None
        if pending is None:
            return self._dialogue.take_over(session.memory, now)
        return self._take_over(pending, session.memory, now)

    def _take_over(self, pending: Pending, memory: Memory, now: float) -> list[Command]:
        """A session follows another, or what another runner left undone."""
        silence, attempts = self._life.silence(now), pending.attempts + 1
        announced: list[Command] = []
        if silence is not None:
            announced = [Announce(Resumed(pending.cause, memory, attempts, silence))]
        settled = self._settle_pending(UpdateResult.APPLIED)
        if pending.bridge_message is not None:
            message = Message("user", pending.bridge_message, pending.respond)
            self._dialogue.tell(message, first=True)
        return [*announced, *settled, *self._dialogue.take_over(memory, now)]

    def _on_mutated(self, result: MutationDone | MutationFailed) -> list[Command]:
        if self._updates.under_way is None:
            return []  # the session went meanwhile, and a resumption carries the change
        match result:
            case MutationFailed(SessionClosed() | NotConnected()):
                self._absorb(self._pending or Pending(self.config, Cause.DROP))
            case MutationFailed(error):
                return settle(self._updates.rejected(), UpdateResult.REJECTED, error)
            case MutationDone(RequiresResumption()):
                self._absorb(self._pending or Pending(self.config, Cause.UPDATE))
            case MutationDone():
                update, tickets = self._updates.confirmed()
                if update.bridge_message is not None:
                    self._dialogue.tell(Message("user", update.bridge_message, update.respond))
                return settle(tickets, UpdateResult.APPLIED)
        return []

    def _on_disconnected(self, end: event.Disconnected, now: float) -> list[Command]:
        self._lose_session(now)
        self._life.drop(now)
        if self._life.short_lives > MAX_ATTEMPTS:
            return self._give_up(Lost(end.drop, "every new session was lost at once"))
        if self._resuming is not None:
            assert self._pending is not None
            self._pending = replace(self._pending, cause=Cause.DROP, attempts=0)
            return []
        if end.drop is Drop.REFUSED and self._updates.under_way is None:
            return self._give_up(Lost(end.drop, end.detail))
        rejected: list[Command] = []
        if end.drop is Drop.REFUSED:
            error = RealtimeError("the provider ended the session over this update")
            rejected = settle(self._updates.rejected(), UpdateResult.REJECTED, error)
        wait = delay_before(max(self._life.short_lives - 1, 0), self._jitter)
        pending = self._pending or Pending(self.config, Cause.DROP)
        self._absorb(replace(pending, cause=Cause.DROP, attempts=0, not_before=now + wait))
        return rejected

    def _lose_session(self, now: float) -> None:
        self._life.end(now)
        self._dialogue.cut()

    def _on_resume_failed(self, error: RealtimeError, now: float) -> list[Command]:
        assert self._pending is not None
        self._resuming = None
        if isinstance(error, ResumptionRefused):
            self._token = None
        pending = self._pending = self._pending.failed(error, now, self._jitter)
        final = not worth_retrying(error, pending.attempts)
        failed = Announce(ResumptionFailed(pending.cause, pending.attempts, str(error), final))
        if not final:
            return [failed, *self._settle_pending(UpdateResult.QUEUED)]
        self._pending = None
        settled = self._settle_pending(UpdateResult.REJECTED, error)
        return [failed, *settled, *self._do_without(error, pending.attempts, now)]

    def _do_without(self, error: RealtimeError, attempts: int, now: float) -> list[Command]:
        """There will be no session with this configuration: what can be kept is kept."""
        hopeless = self._updates.settled or isinstance(error, AuthError)
        self._updates.revert()
        if self._life.connected:
            self._life.rotate_once_more(now)
            return []
        if hopeless:
            reason = f"no new session after {attempts} attempts: {error}"
            return self._give_up(Lost(Drop.LOST, reason, attempts))
        self._pending = Pending(self.config, Cause.DROP)  # perhaps with what was in force before
        return []

    # What follows from it

    @property
    def _resume_at(self) -> float | None:
        """When the pending resumption becomes possible, if nothing else happens."""
        pending = self._pending
        if pending is None or self._resuming is not None or self._updates.under_way is not None:
            return None
        if not self._life.connected:
            return pending.not_before
        return max(pending.not_before, min(self._dialogue.pause_at, pending.must_by))

    def _next(self, now: float) -> list[Command]:
        if self._finished:
            return []
        self._dialogue.tick(now)
        if self._life.rotation_due(now):
            self._want_rotation(now, self._life.ends_at)
        commands = self._dialogue.answers(now) if self._talking else []
        commands += self._change_session(now)
        return commands + self._dialogue.say(now) if self._talking else commands

    @property
    def _talking(self) -> bool:
        """Whether there is a session, and not one that is about to be replaced."""
        return self._life.connected and self._resuming is None

    def _change_session(self, now: float) -> list[Command]:
        """The next Mutate or Resume, if it is time for one."""
        if self._resuming is not None or self._updates.under_way is not None:
            return []
        if self._pending is not None:
            at = self._resume_at
            return self._resume(now) if at is not None and now >= at else self._queue_updates()
        if self._updates.waiting and self._life.connected:
            return [Mutate(self._updates.begin().change)]
        return []

    def _resume(self, now: float) -> list[Command]:
        assert self._pending is not None
        self._absorb(self._pending)
        if self._life.connected and not self._overlaps:
            self._lose_session(now)
        if not self._life.connected:
            self._dialogue.pack()
        self._resuming = self.config
        return [Resume(self._resuming, self._token, self._pending.cause)]

    def _queue_updates(self) -> list[Command]:
        """A resumption waits for its moment. What is asked meanwhile goes with it, as a rule."""
        assert self._pending is not None
        if self._updates.waiting:
            if self._life.connected and self._pending.cause is Cause.ROTATION:
                return [Mutate(self._updates.begin().change)]  # the live session may well take it
            self._absorb(replace(self._pending, attempts=0))
        return self._settle_pending(UpdateResult.QUEUED)

    def _absorb(self, pending: Pending) -> None:
        """Let the pending resumption carry every change that is not applied yet."""
        update, tickets = self._updates.absorb()
        if update is not None and update.bridge_message is not None:
            pending = replace(pending, bridge_message=update.bridge_message, respond=update.respond)
        self._pending = replace(pending, config=self.config)
        self._pending_tickets += tickets

    def _want_rotation(self, now: float, end: float) -> None:
        """A new session has to take over before `end`."""
        self._life.rotate_at = None
        pending = self._pending or Pending(self.config, Cause.ROTATION)
        latest = max(now, end - ROTATE_LATEST)
        self._pending = replace(pending, must_by=min(pending.must_by, latest))

    def _settle_pending(
        self, result: UpdateResult, error: RealtimeError | None = None
    ) -> list[Command]:
        tickets, self._pending_tickets = self._pending_tickets, ()
        return settle(tickets, result, error)

    def _give_up(self, outcome: Lost) -> list[Command]:
        self._finished = True
        self._absorb(self._pending or Pending(self.config, Cause.DROP))
        error = SessionClosed("the session is lost")
        return [*self._settle_pending(UpdateResult.REJECTED, error), Finish(outcome)]
