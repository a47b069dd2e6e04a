"""What the runner's machine is told besides the session's events, and what it asks for."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from bridge.errors import RealtimeError
from bridge.ports.client_events import Message
from bridge.ports.conversation import ToolAsked
from bridge.ports.model import ContextMutationOutcome, Memory, ToolResponse
from bridge.ports.runner_events import Cause, Resumed, ResumptionFailed, RunOutcome
from bridge.ports.session import RealtimeConfig

__all__ = [
    "Announce",
    "Answer",
    "CancelTool",
    "Command",
    "Connected",
    "Connecting",
    "Fact",
    "Finish",
    "Inherited",
    "MessageAsked",
    "Mutate",
    "MutationDone",
    "MutationFailed",
    "Respond",
    "ResponseAsked",
    "Resume",
    "ResumeFailed",
    "RunTool",
    "Settle",
    "Tell",
    "TimeIsUp",
    "ToolAnswered",
    "UpdateAsked",
    "UpdateResult",
    "settle",
]


class UpdateResult(StrEnum):
    """What became of an update of the session."""

    APPLIED = "applied"
    """The provider has confirmed it."""
    QUEUED = "queued"
    """It takes effect with a resumption, at the next moment that is good for one."""
    REJECTED = "rejected"


# Facts


@dataclass(frozen=True, slots=True)
class Inherited:
    """An earlier runner of the same conversation left these calls without an answer."""

    calls: tuple[ToolAsked, ...]


@dataclass(frozen=True, slots=True)
class Connecting:
    """The first session is about to be told the history."""


@dataclass(frozen=True, slots=True)
class Connected:
    """A session is ready and is the one we talk to."""

    memory: Memory = Memory.NONE
    expires_in: float | None = None


@dataclass(frozen=True, slots=True)
class ResumeFailed:
    """The session that should take over could not be had."""

    error: RealtimeError


@dataclass(frozen=True, slots=True)
class UpdateAsked:
    """Somebody wants the session changed; `ticket` is their number."""

    change: RealtimeConfig
    bridge_message: str | None = field(default=None, repr=False)
    respond: bool = False
    ticket: int = 0


@dataclass(frozen=True, slots=True)
class MutationDone:
    outcome: ContextMutationOutcome


@dataclass(frozen=True, slots=True)
class MutationFailed:
    """The provider refused the change; the session is as it was."""

    error: RealtimeError


@dataclass(frozen=True, slots=True)
class ToolAnswered:
    """A tool has an answer, or the runner's owner gives one."""

    call_id: str
    output: Any = field(repr=False)


@dataclass(frozen=True, slots=True)
class ResponseAsked:
    """Somebody wants the model to speak."""

    instructions: str | None = field(default=None, repr=False)


@dataclass(frozen=True, slots=True)
class MessageAsked:
    """Somebody wants a text to go into the conversation."""

    message: Message


@dataclass(frozen=True, slots=True)
class TimeIsUp:
    """The machine's deadline has passed."""


Fact = (
    Inherited
    | Connecting
    | Connected
    | ResumeFailed
    | UpdateAsked
    | MutationDone
    | MutationFailed
    | ToolAnswered
    | ResponseAsked
    | MessageAsked
    | TimeIsUp
)

# Commands


@dataclass(frozen=True, slots=True)
class RunTool:
    call_id: str
    name: str
    arguments: str = field(repr=False)
    inherited: bool = False
    """Whether an earlier runner was asked for it."""
    begun: bool = False
    """Whether that one has begun it, for all it knew."""


@dataclass(frozen=True, slots=True)
class CancelTool:
    call_id: str


@dataclass(frozen=True, slots=True)
class Answer:
    """Send the answers of a turn, all of them."""

    responses: tuple[ToolResponse, ...]


@dataclass(frozen=True, slots=True)
class Respond:
    """Ask the model to speak."""

    instructions: str | None = field(default=None, repr=False)


@dataclass(frozen=True, slots=True)
class Tell:
    """Put a message into the conversation."""

    message: Message
    remember: bool = True
    """Whether it belongs to what a later session is told."""


@dataclass(frozen=True, slots=True)
class Mutate:
    """Change the live session by these fields; the answer is MutationDone or MutationFailed."""

    change: RealtimeConfig


@dataclass(frozen=True, slots=True)
class Resume:
    """Bring up a new session; the answer is Connected or ResumeFailed."""

    config: RealtimeConfig
    token: str | None = field(repr=False)
    cause: Cause


@dataclass(frozen=True, slots=True)
class Settle:
    """Tell those who asked for updates what became of them."""

    tickets: tuple[int, ...]
    result: UpdateResult
    error: RealtimeError | None = None


@dataclass(frozen=True, slots=True)
class Announce:
    event: Resumed | ResumptionFailed


@dataclass(frozen=True, slots=True)
class Finish:
    outcome: RunOutcome


Command = (
    RunTool | CancelTool | Answer | Respond | Tell | Mutate | Resume | Settle | Announce | Finish
)


def settle(
    tickets: tuple[int, ...], result: UpdateResult, error: RealtimeError | None = None
) -> list[Command]:
    """Tell those who hold these tickets, if there are any."""
    return [Settle(tickets, result, error)] if tickets else []
