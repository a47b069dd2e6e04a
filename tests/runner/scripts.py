"""Words in which the runner's tests are written: facts, states and commands, made short."""

from __future__ import annotations

from collections.abc import Callable

from bridge.errors import ConnectError, RealtimeError
from bridge.ports import server_events as event
from bridge.ports.model import Applied, Memory, RequiresResumption
from bridge.ports.runner_events import Resumed, ResumptionFailed
from bridge.ports.server_events import Drop, ServerEvent
from bridge.ports.session import RealtimeConfig
from bridge.runner.machine import RunnerMachine
from bridge.runner.state import ExecutingTool, Generating, Idle, PendingResumption
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
    Respond,
    Resume,
    ResumeFailed,
    RunTool,
    Settle,
    Tell,
    ToolAnswered,
    UpdateAsked,
)

__all__ = [
    "LOST",
    "Machine",
    "answered",
    "applied",
    "called",
    "cannot",
    "created",
    "done",
    "failed",
    "state_of",
    "update",
    "words",
]

LOST = event.Disconnected(Drop.LOST)


def created(response_id: str = "r1") -> ServerEvent:
    return event.ResponseCreated(response_id)


def done(response_id: str = "r1") -> ServerEvent:
    return event.ResponseDone(response_id)


def called(call_id: str = "c1", name: str = "look") -> ServerEvent:
    return event.FunctionCallDone(call_id, name, "{}")


def answered(call_id: str = "c1", output: object = 1) -> Fact:
    return ToolAnswered(call_id, output)


def update(
    instruction: str = "new", *, ticket: int = 1, bridge: str | None = None, respond: bool = False
) -> UpdateAsked:
    return UpdateAsked(RealtimeConfig(instruction=instruction), bridge, respond, ticket)


def applied() -> Fact:
    """The live session has been changed."""
    return MutationDone(Applied())


def cannot() -> Fact:
    """The live session cannot be changed like that."""
    return MutationDone(RequiresResumption())


def failed(error: RealtimeError | None = None) -> ResumeFailed:
    return ResumeFailed(error or ConnectError("no route"))


class Machine(RunnerMachine):
    """A machine that is told several things at once, at `now`."""

    def script(self, *facts: Fact | ServerEvent, now: float) -> list[Command]:
        """All that the facts lead to, in order."""
        return [command for fact in facts for command in self.handle(fact, now)]

    @classmethod
    def connected(
        cls,
        *,
        now: float = 0.0,
        expires_in: float | None = None,
        responds_to_tools: bool = False,
        overlaps_sessions: bool = True,
        config: RealtimeConfig | None = None,
        token: str | None = None,
        auto_execute_tools: bool = True,
        jitter: Callable[[], float] = lambda: 0.0,
    ) -> Machine:
        """One with its first session."""
        machine = cls(
            config or RealtimeConfig(instruction="old"),
            auto_execute_tools=auto_execute_tools,
            responds_to_tools=responds_to_tools,
            overlaps_sessions=overlaps_sessions,
            token=token,
            jitter=jitter,
        )
        machine.handle(Connected(Memory.NONE, expires_in), now)
        return machine


def words(commands: list[Command]) -> str:
    """Commands in a word or two each."""
    return ", ".join(_word(command) for command in commands)


def _word(command: Command) -> str:
    match command:
        case RunTool(call_id):
            return f"run {call_id}"
        case CancelTool(call_id):
            return f"cancel {call_id}"
        case Answer(responses):
            return "answer " + "+".join(response.call_id for response in responses)
        case Respond():
            return "respond"
        case Tell():
            return "tell"
        case Mutate():
            return "mutate"
        case Resume():
            return "resume"
        case Settle(_, result, _):
            return result.value
        case Announce(announced):
            return _announcement(announced)
        case Finish():
            return "finish"


def state_of(machine: RunnerMachine, commands: list[Command]) -> str:
    """The state in a word."""
    if any(isinstance(command, Finish) for command in commands):
        return "over"
    match machine.state:
        case Idle():
            return "idle"
        case Generating():
            return "generating"
        case ExecutingTool():
            return "tool"
        case PendingResumption(attempts=attempts):
            return f"pending {attempts}"


def _announcement(announced: Resumed | ResumptionFailed) -> str:
    if isinstance(announced, Resumed):
        return "resumed"
    return "failed for good" if announced.final else "failed"
