"""What is told of a call, and to whom."""

from __future__ import annotations

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
from bridge.call.timeline import Timeline
from bridge.call.vocabulary import Happened, Moment
from bridge.errors import Ending, Fault
from bridge.ports import runner_events as runner
from bridge.ports import server_events as model
from bridge.ports.model import Memory
from bridge.ports.runner_events import Cause, ToolOutcome
from bridge.ports.server_events import Drop
from bridge.telemetry.metrics import Metrics
from bridge.wiring.chronicle import Chronicle


class Stage:
    """A chronicle, and all that it told."""

    def __init__(self) -> None:
        self.told: list[HookEvent] = []
        self.kept = 0
        self.metrics = Metrics()
        self.timeline = Timeline(10.0)
        self.chronicle = Chronicle(
            self.timeline,
            self.metrics,
            "openai",
            tell=self.told.append,
            worth_keeping=self.keep,
            turn_over=self.keep,
        )

    def keep(self) -> None:
        self.kept += 1

    def counted(self, line: str) -> bool:
        return line in self.metrics.render()[0].decode()


def test_a_call_has_started_when_both_are_there() -> None:
    """The caller and the model, in whatever order."""
    stage = Stage()
    stage.chronicle.moment(Happened(Moment.MODEL_READY), 10.1)
    before = list(stage.told)

    stage.chronicle.moment(Happened(Moment.ANSWERED), 10.2)

    assert before == []
    assert stage.told == [CallStarted()]
    assert [entry.happened.what for entry in stage.timeline] == ["model_ready", "answered"]


def test_what_was_said_is_worth_keeping() -> None:
    """The next worker has to know it."""
    stage = Stage()

    stage.chronicle.model(model.InputTranscriptDone("When are you open?"))
    stage.chronicle.model(model.TranscriptDone("item", "From seven to six."))

    assert stage.told == [CallerSaid("When are you open?"), AgentSaid("From seven to six.")]
    assert stage.kept == 2


def test_that_the_caller_speaks_is_worth_keeping() -> None:
    """Whoever goes on with the call has to know that something was cut off."""
    stage = Stage()
    stage.chronicle.moment(Happened(Moment.CALLER_SPEAKS), 1.0)
    stage.chronicle.moment(Happened(Moment.CALLER_SILENT), 2.0)

    assert stage.kept == 2


def test_tools_keys_and_interruptions() -> None:
    """Each is told to the hooks, and counted."""
    stage = Stage()

    stage.chronicle.model(runner.ToolFinished("call_1", "hours", ToolOutcome.ANSWERED, 0.25))
    stage.chronicle.digit("4")
    stage.chronicle.moment(Happened(Moment.INTERRUPTED, seconds=1.25), 12.0)
    stage.chronicle.cleared(0.0002)

    assert stage.told == [
        ToolCalled("hours", ToolOutcome.ANSWERED, 0.25),
        DigitPressed("4"),
        Interrupted(1250),
    ]
    assert stage.counted('bridge_tool_calls_total{outcome="answered",tool="hours"} 1.0')
    assert stage.counted("bridge_barge_ins_total 1.0")


def test_the_providers_troubles_are_counted() -> None:
    """By cause and outcome, without a word of the call's."""
    stage = Stage()

    stage.chronicle.model(model.BadFrame("not-json"))
    stage.chronicle.model(model.Disconnected(Drop.EXPIRED))
    stage.chronicle.model(runner.ResumptionFailed(Cause.DROP, 1, "no", final=False))
    stage.chronicle.model(runner.Resumed(Cause.DROP, Memory.REPLAYED, 2, 0.4))

    assert stage.counted('bridge_bad_frames_total{peer="openai",reason="not-json"} 1.0')
    assert stage.counted('bridge_provider_drops_total{cause="expired",provider="openai"} 1.0')
    assert stage.counted('bridge_resumptions_total{cause="drop",outcome="failed"} 1.0')
    assert stage.counted('bridge_resumptions_total{cause="drop",outcome="replayed"} 1.0')
    assert stage.told == [SessionResumed(0.4)]


def test_how_fast_the_agent_answers_is_measured() -> None:
    """From the end of the caller's turn to the agent's first sound; a greeting answers nobody."""
    stage = Stage()

    stage.chronicle.moment(Happened(Moment.AGENT_SPEAKS), 10.5)
    stage.chronicle.moment(Happened(Moment.AGENT_SPEAKS, seconds=0.6), 14.0)

    assert stage.counted('bridge_response_latency_seconds_count{provider="openai"} 1.0')


def test_an_answer_that_is_late_is_counted() -> None:
    """And one that never comes, too."""
    stage = Stage()

    stage.chronicle.moment(Happened(Moment.CALLER_SILENT), 10.0)
    stage.chronicle.moment(Happened(Moment.AGENT_SPEAKS, seconds=2.6), 12.6)
    stage.chronicle.moment(Happened(Moment.CALLER_SILENT), 20.0)
    stage.chronicle.moment(Happened(Moment.OVER), 40.0)

    assert stage.counted('bridge_slow_answers_total{provider="openai"} 2.0')


def test_the_end_is_the_last_thing_told() -> None:
    """With why, and how long it lasted."""
    stage = Stage()
    ending = Ending(Fault.CALLER, "hangup")

    stage.chronicle.ended(ending, 42.0)

    assert stage.told == [CallEnded(ending, 42.0)]
