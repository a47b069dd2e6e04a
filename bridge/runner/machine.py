"""
The decisions of a runner.

Rule: nothing here waits, reads a clock or touches a session. `handle` is told what
happened and when, and returns what is to be done about it; `deadline` says when it wants
to hear TimeIsUp. At most one Mutate or Resume is under way at any time.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from bridge.errors import RealtimeError, ResumptionRefused
from bridge.ports import server_events as event
from bridge.ports.client_events import Message
from bridge.ports.model import Memory, RequiresResumption
from bridge.ports.runner_events import Cause, Lost, Resumed, ResumptionFailed
from bridge.ports.server_events import Drop, ServerEvent
from bridge.ports.session import RealtimeConfig
from bridge.runner.handover import Handover, late_answer
from bridge.runner.responses import Responses
from bridge.runner.resumption import MAX_ATTEMPTS, Pending, delay_before, worth_retrying
from bridge.runner.state import ExecutingTool, Generating, Idle, PendingResumption, RunnerState
from bridge.runner.turns import ToolTurn
from bridge.runner.updates import Updates
from bridge.runner.vocabulary import (
    Announce,
    Answer,
    CancelTool,
    Command,
    Connected,
    Fact,
    Finish,
    Mutate,
    MutationDone,
    MutationFailed,
    ResponseAsked,
    Resume,
    ResumeFailed,
    RunTool,
    Settle,
    Tell,
    TimeIsUp,
    ToolAnswered,
    UpdateAsked,
    UpdateResult,
)

__all__ = ["RunnerMachine"]

ROTATE_EARLY = 60.0  # seconds before a session's end at which we begin to look for a good moment
ROTATE_LATEST = 3.0  # seconds before its end at which any moment is good
STABLE = 10.0  # seconds after which a session counts as healthy and the budget is full again


class RunnerMachine:
    """One runner's state, from its first session to its last."""

    def __init__(
        self,
        config: RealtimeConfig,
        *,
        auto_execute_tools: bool = True,
        responds_to_tools: bool = False,
        overlaps_sessions: bool = True,
        jitter: Callable[[], float] = lambda: 0.0,
    ) -> None:
        self._auto_execute = auto_execute_tools
        self._responds_to_tools = responds_to_tools
        self._overlaps = overlaps_sessions
        self._jitter = jitter
        self._updates = Updates(config)
        self._responses = Responses()
        self._turn = ToolTurn()
        self._connected = False
        self._token: str | None = None
        self._pending: Pending | None = None
        self._pending_tickets: tuple[int, ...] = ()
        self._resuming: RealtimeConfig | None = None
        self._rotate_at: float | None = None
        self._expires_at = float("inf")
        self._connected_at = 0.0
        self._lost_at = 0.0
        self._failures = 0
        self._handover = Handover()
        self._finished = False

    @property
    def config(self) -> RealtimeConfig:
        """The configuration that everybody has asked for so far."""
        return self._updates.desired

    @property
    def token(self) -> str | None:
        """The newest resume token, whenever it came."""
        return self._token

    @property
    def state(self) -> RunnerState:
        if (pending := self._pending) is not None:
            return PendingResumption(pending.config, pending.bridge_message, pending.attempts)
        if self._turn.open:
            return ExecutingTool()
        return Generating() if self._responses.busy else Idle()

    @property
    def deadline(self) -> float | None:
        """Seconds, on the clock that `handle` is told; None: nothing to wait for."""
        if self._finished:
            return None
        candidates = [self._responses.deadline if self._connected else None, self._rotate_at]
        if self._pending is not None and self._resuming is None:
            ready = not self._connected or self._free
            candidates.append(self._pending.not_before if ready else self._pending.must_by)
        return min((at for at in candidates if at is not None and at != float("inf")), default=None)

    def handle(self, fact: Fact | ServerEvent, now: float) -> list[Command]:
        """What is to be done, in this order."""
        if self._finished:
            return []
        return self._note(fact, now) + self._next(now)

    # What happened

    def _note(self, fact: Fact | ServerEvent, now: float) -> list[Command]:
        match fact:
            case UpdateAsked():
                self._updates.ask(fact)
            case ResponseAsked():
                self._responses.want(fact)
            case ToolAnswered(call_id, output):
                self._turn.answer(call_id, output)
            case Connected():
                return self._on_connected(fact, now)
            case ResumeFailed(error):
                return self._on_resume_failed(error, now)
            case MutationDone() | MutationFailed():
                return self._on_mutated(fact)
            case TimeIsUp():
                self._on_time(now)
            case _:
                return self._on_session(fact, now)
        return []

    def _on_session(self, happened: ServerEvent, now: float) -> list[Command]:
        match happened:
            case event.ResponseCreated(response_id):
                self._responses.created(response_id)
            case event.ResponseDone(response_id):
                self._responses.done(response_id)
            case event.SpeechStarted():
                self._responses.speech_started()
            case event.SpeechStopped():
                self._responses.speech_stopped(now)
            case event.FunctionCallDone(call_id, name, arguments):
                if self._turn.begin(call_id, name) and self._auto_execute:
                    return [RunTool(call_id, name, arguments)]
            case event.ToolCallCancelled(call_ids):
                return [CancelTool(call_id) for call_id in self._turn.cancel(call_ids)]
            case event.ResumptionToken(token):
                self._token = token
            case event.GoingAway(seconds):
                self._want_rotation(now, now + seconds)
            case event.Error(refused_response=True):
                self._responses.refused()
            case event.Disconnected():
                return self._on_disconnected(happened, now)
            case _:
                pass
        return []

    def _on_connected(self, session: Connected, now: float) -> list[Command]:
        first = self._resuming is None
        self._updates.resumed(self._resuming or self._updates.applied)
        if self._connected:
            self._lose_session(now)
        self._connected, self._connected_at, self._resuming = True, now, None
        self._expires_at, self._rotate_at = float("inf"), None
        if session.expires_in is not None:
            self._expires_at = now + session.expires_in
            self._rotate_at = self._expires_at - min(ROTATE_EARLY, session.expires_in / 2)
        pending, self._pending = self._pending, None
        if first or pending is None:
            return []
        return self._take_over(pending, session.memory, now)

    def _take_over(self, pending: Pending, memory: Memory, now: float) -> list[Command]:
        """What a session needs to hear when it follows another."""
        tickets, self._pending_tickets = self._pending_tickets, ()
        handover, self._handover = self._handover, Handover()
        commands: list[Command] = [
            Announce(Resumed(pending.cause, memory, pending.attempts + 1, now - self._lost_at)),
            Settle(tickets, UpdateResult.APPLIED),
        ]
        if pending.bridge_message is not None:
            commands.append(Tell(Message("user", pending.bridge_message, pending.respond)))
        commands += handover.words(memory)
        if (wish := handover.wish()) is not None:
            self._responses.want(wish)
        return commands

    def _on_mutated(self, result: MutationDone | MutationFailed) -> list[Command]:
        if self._updates.under_way is None:
            return []  # the session went meanwhile, and a resumption carries the change
        if isinstance(result, MutationFailed):
            return [Settle(self._updates.rejected(), UpdateResult.REJECTED, result.error)]
        if isinstance(result.outcome, RequiresResumption):
            self._absorb(self._pending or Pending(self.config, Cause.UPDATE))
            return []
        update, tickets = self._updates.confirmed()
        told: list[Command] = [Settle(tickets, UpdateResult.APPLIED)]
        if update.bridge_message is not None:
            told.append(Tell(Message("user", update.bridge_message, update.respond)))
        return told

    def _on_disconnected(self, end: event.Disconnected, now: float) -> list[Command]:
        if end.drop is Drop.CLOSED or not self._connected:
            return []
        self._lose_session(now)
        if end.drop is Drop.REFUSED:
            return self._give_up(Lost(end.drop, end.detail))
        self._failures = 0 if now - self._connected_at >= STABLE else self._failures + 1
        if self._failures > MAX_ATTEMPTS:
            return self._give_up(Lost(end.drop, "every new session was lost at once"))
        if self._resuming is None:
            wait = delay_before(max(self._failures - 1, 0), self._jitter)
            pending = self._pending or Pending(self.config, Cause.DROP)
            self._absorb(replace(pending, cause=Cause.DROP, not_before=now + wait))
        return []

    def _lose_session(self, now: float) -> None:
        self._connected, self._lost_at, self._rotate_at = False, now, None
        self._handover.cut(self._responses)
        self._responses.forget()
        self._turn.orphan()

    def _on_resume_failed(self, error: RealtimeError, now: float) -> list[Command]:
        assert self._pending is not None
        self._resuming = None
        if isinstance(error, ResumptionRefused):
            self._token = None
        pending = self._pending = self._pending.failed(error, now, self._jitter)
        final = not worth_retrying(error, pending.attempts)
        told: list[Command] = [
            Announce(ResumptionFailed(pending.cause, pending.attempts, str(error), final))
        ]
        tickets, self._pending_tickets = self._pending_tickets, ()
        if not final:
            return [*told, Settle(tickets, UpdateResult.QUEUED)]
        if not self._connected:
            reason = f"no new session after {pending.attempts} attempts: {error}"
            told.append(Settle(tickets, UpdateResult.REJECTED, error))
            return told + self._give_up(Lost(Drop.LOST, reason, pending.attempts))
        # The old session still serves. What could not be had is no longer wanted, and a
        # rotation is tried once more when the end comes near.
        self._pending = None
        self._rotate_at = self._expires_at if self._expires_at > now else None
        self._updates.revert()
        return [*told, Settle(tickets, UpdateResult.REJECTED, error)]

    def _on_time(self, now: float) -> None:
        if self._rotate_at is not None and now >= self._rotate_at:
            self._want_rotation(now, self._expires_at)

    # What follows from it

    @property
    def _free(self) -> bool:
        """Whether a resumption would cut nothing off."""
        responses = self._responses
        return not (responses.busy or responses.speaking or self._turn.open or self._turn.answered)

    def _next(self, now: float) -> list[Command]:
        if self._finished:
            return []
        commands = self._send_answers()
        commands += self._change_session(now)
        if self._connected and self._resuming is None:
            for answer in self._turn.take_late():
                commands.append(late_answer(answer))
                self._responses.want(ResponseAsked())
            if (due := self._responses.due(now)) is not None:
                commands.append(due)
        return commands

    def _send_answers(self) -> list[Command]:
        generating = self._responses.active is not None and not self._responds_to_tools
        if not self._connected or generating or not self._turn.answered:
            return []
        if not self._responds_to_tools:
            self._responses.want(ResponseAsked())
        return [Answer(self._turn.take())]

    def _change_session(self, now: float) -> list[Command]:
        """The next Mutate or Resume, if it is time for one."""
        if self._resuming is not None or self._updates.under_way is not None:
            return []
        if self._pending is not None:
            return self._resume_if_possible(now)
        if self._updates.waiting and self._connected:
            return [Mutate(self._updates.begin().change)]
        return []

    def _resume_if_possible(self, now: float) -> list[Command]:
        assert self._pending is not None
        if self._updates.waiting:
            self._absorb(replace(self._pending, attempts=0))
        possible = now >= self._pending.not_before and (not self._connected or self._free)
        if not possible and now < self._pending.must_by:
            tickets, self._pending_tickets = self._pending_tickets, ()
            return [Settle(tickets, UpdateResult.QUEUED)] if tickets else []
        if self._connected and not self._overlaps:
            self._lose_session(now)
        self._handover.answered(self._turn.take_late())
        self._resuming = self.config
        return [Resume(self._resuming, self._token, self._pending.cause)]

    def _absorb(self, pending: Pending) -> None:
        """Let the pending resumption carry every change that is not applied yet."""
        update, tickets = self._updates.absorb()
        if update is not None and update.bridge_message is not None:
            pending = replace(pending, bridge_message=update.bridge_message, respond=update.respond)
        self._pending = replace(pending, config=self.config)
        self._pending_tickets += tickets

    def _want_rotation(self, now: float, end: float) -> None:
        """A new session has to take over before `end`."""
        self._rotate_at = None
        pending = self._pending or Pending(self.config, Cause.ROTATION)
        latest = max(now, end - ROTATE_LATEST)
        self._pending = replace(pending, must_by=min(pending.must_by, latest))

    def _give_up(self, outcome: Lost) -> list[Command]:
        self._finished = True
        _, tickets = self._updates.absorb()
        error = RealtimeError("the session is lost")
        return [
            Settle((*tickets, *self._pending_tickets), UpdateResult.REJECTED, error),
            Finish(outcome),
        ]
