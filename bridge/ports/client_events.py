"""
What a client tells a realtime session.

The first nine are adk-realtime's; the provider's adapter translates each of them and
refuses, with UnsupportedConfig, the few that its provider has no word for.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from bridge.audio.formats import AudioFormat
from bridge.ports.session import RealtimeConfig

__all__ = [
    "AudioDelta",
    "ClientEvent",
    "ConversationItemCreate",
    "InputAudioBufferClear",
    "InputAudioBufferCommit",
    "ItemTruncate",
    "Message",
    "ResponseCancel",
    "ResponseCreate",
    "SessionUpdate",
    "UpdateSession",
]


@dataclass(frozen=True, slots=True)
class SessionUpdate:
    """The provider's own session object, as it is. OpenAI's family only."""

    session: Mapping[str, Any] = field(repr=False)


@dataclass(frozen=True, slots=True)
class AudioDelta:
    """Caller audio in the session's input format, or in `format` if it is given."""

    audio: bytes = field(repr=False)
    format: AudioFormat | None = None


@dataclass(frozen=True, slots=True)
class InputAudioBufferCommit:
    """The caller's turn is over (without voice activity detection)."""


@dataclass(frozen=True, slots=True)
class InputAudioBufferClear:
    """Forget the audio that was not committed."""


@dataclass(frozen=True, slots=True)
class ConversationItemCreate:
    """The provider's own conversation item, as it is. OpenAI's family only."""

    item: Mapping[str, Any] = field(repr=False)


@dataclass(frozen=True, slots=True)
class ResponseCreate:
    """Ask the model to speak; `instructions` hold for this one response only."""

    instructions: str | None = field(default=None, repr=False)


@dataclass(frozen=True, slots=True)
class ResponseCancel:
    """Ask the model to stop what it is saying."""


@dataclass(frozen=True, slots=True)
class Message:
    """
    A text for the conversation, from the `user`, the `assistant` or the `system`.

    With `respond` the model answers it at once; without, it knows it and stays silent.
    """

    role: str
    text: str = field(repr=False)
    respond: bool = False


@dataclass(frozen=True, slots=True)
class UpdateSession:
    """Change the session; the runner intercepts it and never sends it as it is."""

    change: RealtimeConfig
    bridge_message: str | None = field(default=None, repr=False)


@dataclass(frozen=True, slots=True)
class ItemTruncate:
    """Of the assistant's item the caller heard only the first `heard_ms` milliseconds."""

    item_id: str
    heard_ms: int


ClientEvent = (
    SessionUpdate
    | AudioDelta
    | InputAudioBufferCommit
    | InputAudioBufferClear
    | ConversationItemCreate
    | ResponseCreate
    | ResponseCancel
    | Message
    | UpdateSession
    | ItemTruncate
)
