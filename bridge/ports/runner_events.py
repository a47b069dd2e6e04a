"""What a runner tells besides its session's events: tools, resumptions and the end."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum

from bridge.ports.model import Memory
from bridge.ports.server_events import Drop, ServerEvent

__all__ = [
    "Cause",
    "Closed",
    "Finished",
    "Lost",
    "Resumed",
    "ResumptionFailed",
    "RunOutcome",
    "RunnerEvent",
    "RunnerListener",
    "ToolFinished",
    "ToolOutcome",
    "ToolStarted",
]


class Cause(StrEnum):
    """Why a new session had to take over."""

    DROP = "drop"
    """The connection broke."""
    ROTATION = "rotation"
    """The provider is about to end the session."""
    UPDATE = "update"
    """The configuration changed in a way that the live session could not take."""


class ToolOutcome(StrEnum):
    """How a tool call ended."""

    ANSWERED = "answered"
    FAILED = "failed"
    TIMED_OUT = "timed_out"
    CANCELLED = "cancelled"
    BAD_ARGUMENTS = "bad_arguments"
    UNKNOWN_TOOL = "unknown_tool"
    REMEMBERED = "remembered"
    """It has run before, and the journal has its answer: it was not run again."""
    OUTCOME_UNKNOWN = "outcome_unknown"
    """It was begun before, and nobody knows how it went: it was not run again."""
    NO_JOURNAL = "no_journal"
    """It needs the journal, which did not answer: it was not run."""


@dataclass(frozen=True, slots=True)
class ToolStarted:
    call_id: str
    name: str


@dataclass(frozen=True, slots=True)
class ToolFinished:
    """The tool is done; `seconds` is how long it ran."""

    call_id: str
    name: str
    outcome: ToolOutcome
    seconds: float


@dataclass(frozen=True, slots=True)
class Resumed:
    """A new session has taken over, `seconds` after the old one could no longer be used."""

    cause: Cause
    memory: Memory
    attempts: int
    seconds: float


@dataclass(frozen=True, slots=True)
class ResumptionFailed:
    """One attempt failed; `final` when there will be no other for this cause."""

    cause: Cause
    attempts: int
    reason: str
    final: bool


@dataclass(frozen=True, slots=True)
class Closed:
    """The runner was closed by its owner."""


@dataclass(frozen=True, slots=True)
class Lost:
    """The provider is gone and will not come back; `reason` is one sentence for people."""

    drop: Drop
    reason: str
    attempts: int = 0


RunOutcome = Closed | Lost


@dataclass(frozen=True, slots=True)
class Finished:
    """The last event of a runner."""

    outcome: RunOutcome


RunnerEvent = ServerEvent | ToolStarted | ToolFinished | Resumed | ResumptionFailed | Finished
RunnerListener = Callable[[RunnerEvent], None]
