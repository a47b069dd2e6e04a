"""
What a realtime session tells us: adk-realtime's 22 events, and those it lacks.

Every event is a fact in the past. Texts and audio stay out of `repr`, so that no log
carries a word that was spoken. `event_id` is the provider's own, "" where it has none.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from bridge.errors import Fault

__all__ = [
    "AudioCleared",
    "AudioCommitted",
    "AudioDelta",
    "AudioDone",
    "BadFrame",
    "Disconnected",
    "Drop",
    "Error",
    "ErrorInfo",
    "FunctionCallDelta",
    "FunctionCallDone",
    "GoingAway",
    "InputTranscriptDelta",
    "InputTranscriptDone",
    "Interrupted",
    "ItemCreated",
    "OutputItemAdded",
    "OutputItemDone",
    "RateLimit",
    "RateLimitsUpdated",
    "ResponseCreated",
    "ResponseDone",
    "ResponseStatus",
    "ResumptionToken",
    "ServerEvent",
    "SessionCreated",
    "SessionUpdated",
    "Severity",
    "SpeechStarted",
    "SpeechStopped",
    "TextDelta",
    "TextDone",
    "ToolCallCancelled",
    "TranscriptDelta",
    "TranscriptDone",
    "Unknown",
    "Usage",
]


class Severity(StrEnum):
    """What an error of the provider's means for the session."""

    HARMLESS = "harmless"
    """A race that both sides expect; nothing to do."""
    RETRY = "retry"
    """This request failed, another may succeed; the session lives."""
    FATAL = "fatal"
    """Neither this session nor a new one will work until somebody mends the account."""


class ResponseStatus(StrEnum):
    """How a response ended."""

    COMPLETED = "completed"
    CANCELLED = "cancelled"
    FAILED = "failed"
    INCOMPLETE = "incomplete"


class Drop(StrEnum):
    """Why a session is over."""

    CLOSED = "closed"
    """We closed it."""
    LOST = "lost"
    """The connection broke, or the provider closed it without a reason to give up."""
    EXPIRED = "expired"
    """The session reached the provider's longest duration."""
    REFUSED = "refused"
    """The provider ended it for a cause that a new session would meet again."""


@dataclass(frozen=True, slots=True)
class ErrorInfo:
    """An error of the provider's; `message` is its own text."""

    type: str
    message: str = field(repr=False)
    code: str = ""
    param: str = ""
    request_id: str = ""
    """The id of our own event that it answers, "" where the provider does not say."""


@dataclass(frozen=True, slots=True)
class SessionCreated:
    """The session exists; `session` is the provider's own description of it."""

    session: Mapping[str, Any] = field(repr=False)
    event_id: str = ""


@dataclass(frozen=True, slots=True)
class SessionUpdated:
    """The provider confirms a configuration."""

    session: Mapping[str, Any] = field(repr=False)
    event_id: str = ""


@dataclass(frozen=True, slots=True)
class Error:
    """The provider reports an error; the session may well go on (see `severity`)."""

    error: ErrorInfo
    severity: Severity = Severity.RETRY
    refused_response: bool = False
    """The response that we asked for will not come: another one is under way."""
    event_id: str = ""


@dataclass(frozen=True, slots=True)
class SpeechStarted:
    """The caller began to speak, `audio_start_ms` after the session's audio began."""

    audio_start_ms: int = 0
    item_id: str = ""
    event_id: str = ""


@dataclass(frozen=True, slots=True)
class SpeechStopped:
    """The caller stopped speaking."""

    audio_end_ms: int = 0
    item_id: str = ""
    event_id: str = ""


@dataclass(frozen=True, slots=True)
class AudioCommitted:
    """The caller's audio so far became the item `item_id`."""

    item_id: str = ""
    event_id: str = ""


@dataclass(frozen=True, slots=True)
class AudioCleared:
    """The caller's uncommitted audio was forgotten."""

    event_id: str = ""


@dataclass(frozen=True, slots=True)
class ItemCreated:
    """An item entered the conversation."""

    item: Mapping[str, Any] = field(repr=False)
    event_id: str = ""


@dataclass(frozen=True, slots=True)
class ResponseCreated:
    """The model begins to answer. Every provider's adapter says so, if need be on its own."""

    response_id: str
    response: Mapping[str, Any] = field(default_factory=dict, repr=False)
    event_id: str = ""


@dataclass(frozen=True, slots=True)
class ResponseDone:
    """The model has produced its whole answer (the caller may still be listening to it)."""

    response_id: str
    status: ResponseStatus = ResponseStatus.COMPLETED
    reason: str = ""
    """The provider's word for a status other than completed, e.g. turn_detected."""
    response: Mapping[str, Any] = field(default_factory=dict, repr=False)
    event_id: str = ""


@dataclass(frozen=True, slots=True)
class OutputItemAdded:
    response_id: str
    item: Mapping[str, Any] = field(repr=False)
    output_index: int = 0
    event_id: str = ""


@dataclass(frozen=True, slots=True)
class OutputItemDone:
    response_id: str
    item: Mapping[str, Any] = field(repr=False)
    output_index: int = 0
    event_id: str = ""


@dataclass(slots=True, unsafe_hash=True)  # not frozen, which takes longer to make
class AudioDelta:
    """A piece of the model's voice, in the session's output format."""

    item_id: str
    delta: bytes = field(repr=False)
    response_id: str = ""
    output_index: int = 0
    content_index: int = 0
    event_id: str = ""


@dataclass(frozen=True, slots=True)
class AudioDone:
    item_id: str
    response_id: str = ""
    output_index: int = 0
    content_index: int = 0
    event_id: str = ""


@dataclass(frozen=True, slots=True)
class TextDelta:
    item_id: str
    delta: str = field(repr=False)
    response_id: str = ""
    output_index: int = 0
    content_index: int = 0
    event_id: str = ""


@dataclass(frozen=True, slots=True)
class TextDone:
    item_id: str
    text: str = field(repr=False)
    response_id: str = ""
    output_index: int = 0
    content_index: int = 0
    event_id: str = ""


@dataclass(frozen=True, slots=True)
class TranscriptDelta:
    """A piece of the transcript of the model's own voice."""

    item_id: str
    delta: str = field(repr=False)
    response_id: str = ""
    output_index: int = 0
    content_index: int = 0
    event_id: str = ""


@dataclass(frozen=True, slots=True)
class TranscriptDone:
    """The whole transcript of one item of the model's voice."""

    item_id: str
    transcript: str = field(repr=False)
    response_id: str = ""
    output_index: int = 0
    content_index: int = 0
    event_id: str = ""


@dataclass(frozen=True, slots=True)
class FunctionCallDelta:
    call_id: str
    delta: str = field(repr=False)
    response_id: str = ""
    item_id: str = ""
    output_index: int = 0
    event_id: str = ""


@dataclass(frozen=True, slots=True)
class FunctionCallDone:
    """The model calls a tool; `arguments` is the JSON text it wrote, well-formed or not."""

    call_id: str
    name: str
    arguments: str = field(repr=False)
    response_id: str = ""
    item_id: str = ""
    output_index: int = 0
    event_id: str = ""


@dataclass(frozen=True, slots=True)
class RateLimit:
    name: str
    limit: int
    remaining: int
    reset_seconds: float


@dataclass(frozen=True, slots=True)
class RateLimitsUpdated:
    rate_limits: tuple[RateLimit, ...]
    event_id: str = ""


@dataclass(frozen=True, slots=True)
class Unknown:
    """An event that we have no word for, with all that it carried."""

    type: str
    payload: Mapping[str, Any] = field(repr=False)
    event_id: str = ""


@dataclass(frozen=True, slots=True)
class InputTranscriptDelta:
    """A piece of the transcript of what the caller says."""

    delta: str = field(repr=False)
    item_id: str = ""
    event_id: str = ""


@dataclass(frozen=True, slots=True)
class InputTranscriptDone:
    """The transcript of one turn of the caller's. It may come after the answer has begun."""

    transcript: str = field(repr=False)
    item_id: str = ""
    event_id: str = ""


@dataclass(frozen=True, slots=True)
class Interrupted:
    """
    The model has stopped because the caller spoke over it, or because we asked it to.

    `response_id` is the response that was cut, "" where the provider does not say.
    """

    response_id: str = ""
    event_id: str = ""


@dataclass(frozen=True, slots=True)
class ToolCallCancelled:
    """The provider takes these tool calls back; they must not be answered."""

    call_ids: tuple[str, ...]
    event_id: str = ""


@dataclass(frozen=True, slots=True)
class GoingAway:
    """The provider will close the connection in `seconds`."""

    seconds: float
    event_id: str = ""


@dataclass(frozen=True, slots=True)
class Usage:
    """What was consumed, in the provider's own words (tokens, as a rule)."""

    usage: Mapping[str, Any]
    event_id: str = ""


@dataclass(frozen=True, slots=True)
class ResumptionToken:
    """
    The newest token with which this session can be resumed.

    None: the session cannot be resumed just now, and an older token would lose something.
    """

    token: str | None = field(repr=False)
    event_id: str = ""


@dataclass(frozen=True, slots=True)
class BadFrame:
    """A frame that could not be read. It was dropped; the session goes on."""

    reason: str
    size: int = 0
    event_id: str = ""


@dataclass(frozen=True, slots=True)
class Disconnected:
    """The last event of a session: it is over, and why."""

    drop: Drop
    fault: Fault = Fault.PROVIDER
    code: int = 0
    """WebSocket close code, 0 where there is none."""
    detail: str = ""
    event_id: str = ""


ServerEvent = (
    SessionCreated
    | SessionUpdated
    | Error
    | SpeechStarted
    | SpeechStopped
    | AudioCommitted
    | AudioCleared
    | ItemCreated
    | ResponseCreated
    | ResponseDone
    | OutputItemAdded
    | OutputItemDone
    | AudioDelta
    | AudioDone
    | TextDelta
    | TextDone
    | TranscriptDelta
    | TranscriptDone
    | FunctionCallDelta
    | FunctionCallDone
    | RateLimitsUpdated
    | Unknown
    | InputTranscriptDelta
    | InputTranscriptDone
    | Interrupted
    | ToolCallCancelled
    | GoingAway
    | Usage
    | ResumptionToken
    | BadFrame
    | Disconnected
)
