"""What is told of a call: its timeline, the metrics, and the hooks of the agent's author."""

from __future__ import annotations

from collections.abc import Callable

from bridge.agent.hooks import (
    AgentSaid,
    CallEnded,
    CallerSaid,
    CallStarted,
    DigitPressed,
    HookEvent,
    Interrupted,
    SessionResumed,
    ToolCalled,
)
from bridge.call.conductor import Observer
from bridge.call.timeline import Timeline
from bridge.call.vocabulary import Happened, Moment
from bridge.errors import Ending
from bridge.ports import runner_events as runner
from bridge.ports import server_events as model
from bridge.ports.runner_events import RunnerEvent
from bridge.telemetry.metrics import Metrics
from bridge.wiring.overdue import Overdue

__all__ = ["Chronicle"]


class Chronicle(Observer):
    """
    `tell` reaches the hooks, `worth_keeping` the keeper of the call's record, and so does
    `turn_over`, which is not to wait; `resumed`: the call has begun on another leg.
    """

    def __init__(
        self,
        timeline: Timeline,
        metrics: Metrics,
        provider: str,
        *,
        tell: Callable[[HookEvent], None],
        worth_keeping: Callable[[], None],
        turn_over: Callable[[], None],
        resumed: bool = False,
    ) -> None:
        self._timeline = timeline
        self._metrics = metrics
        self._provider = provider
        self._tell = tell
        self._worth_keeping = worth_keeping
        self._turn_over = turn_over
        self._resumed = resumed
        self._ready = self._here = False
        self._overdue = Overdue()

    def moment(self, happened: Happened, now: float) -> None:
        self._timeline.add(happened, now)
        if self._overdue.note(happened.what, now):
            self._metrics.answered_late(self._provider)
        match happened:
            case Happened(Moment.AGENT_SPEAKS, seconds=float(seconds)):
                self._metrics.responded(self._provider, seconds)
            case Happened(Moment.INTERRUPTED, seconds=float(seconds)):
                self._tell(Interrupted(round(seconds * 1000)))
            case Happened(Moment.CALLER_SPEAKS | Moment.CALLER_SILENT):
                # Whoever goes on with the call has to know that the caller was cut off.
                self._worth_keeping()
            case Happened(Moment.ANSWERED):
                self._here = True
                self._tell_started()
            case Happened(Moment.MODEL_READY):
                self._ready = True
                self._tell_started()
            case _:
                pass

    def model(self, happened: RunnerEvent) -> None:
        match happened:
            case model.InputTranscriptDone(transcript):
                self._tell(CallerSaid(transcript))
                self._turn_over()
            case model.TranscriptDone(transcript=transcript):
                self._tell(AgentSaid(transcript))
                self._worth_keeping()
            case model.ResponseDone() | model.ResumptionToken():
                self._worth_keeping()
            case runner.ToolFinished(_, name, outcome, seconds):
                self._metrics.tool_called(name, outcome, seconds)
                self._tell(ToolCalled(name, outcome, seconds))
                self._worth_keeping()
            case model.BadFrame(reason):
                self._metrics.bad_frame(self._provider, reason)
            case model.Disconnected(drop):
                self._metrics.provider_dropped(self._provider, drop)
            case runner.Resumed(cause, memory, _, seconds):
                self._metrics.resumed(cause, memory, seconds)
                self._tell(SessionResumed(seconds))
            case runner.ResumptionFailed(cause):
                self._metrics.resumption_failed(cause)
            case _:
                pass

    def digit(self, digit: str) -> None:
        self._tell(DigitPressed(digit))

    def played(self) -> None:
        self._worth_keeping()

    def cleared(self, seconds: float) -> None:
        self._metrics.barge_in(seconds)

    def ended(self, ending: Ending, seconds: float) -> None:
        """The call is over for good, after so long."""
        self._tell(CallEnded(ending, seconds))

    def _tell_started(self) -> None:
        if self._here and self._ready and not self._resumed:
            self._tell(CallStarted())
