"""
The frames of Twilio Media Streams as values: what Twilio sends, what Twilio can be sent.

Media Streams, WebSocket messages, both directions of a `<Connect><Stream>`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import NamedTuple

from bridge.audio.tones import KEYS

__all__ = [
    "DIGITS",
    "INBOUND",
    "ULAW",
    "Connected",
    "Dtmf",
    "Mark",
    "Media",
    "MediaFormat",
    "Reason",
    "SendClear",
    "SendMark",
    "SendMedia",
    "Start",
    "Stop",
    "TwilioCommand",
    "TwilioEvent",
]

INBOUND = "inbound"
DIGITS = frozenset(KEYS)


class Reason(StrEnum):
    """Why a frame was refused."""

    HUGE = "huge"
    NOT_JSON = "not-json"
    UNKNOWN_EVENT = "unknown-event"
    MALFORMED = "malformed"
    """A field is missing, or is not what it should be."""
    BAD_BASE64 = "bad-base64"


@dataclass(frozen=True, slots=True)
class MediaFormat:
    """What the audio of a stream is. `sample_rate` is in Hz."""

    encoding: str
    sample_rate: int
    channels: int


ULAW = MediaFormat("audio/x-mulaw", 8_000, 1)


@dataclass(frozen=True, slots=True)
class Connected:
    """The first frame, which says only that this is Twilio's protocol."""

    protocol: str = "Call"
    version: str = "1.0.0"


@dataclass(frozen=True, slots=True)
class Start:
    """Which call this is. Sent once, before any media."""

    stream_sid: str
    account_id: str
    call_id: str
    parameters: Mapping[str, str] = field(default_factory=dict, repr=False)
    format: MediaFormat = ULAW
    tracks: tuple[str, ...] = (INBOUND,)
    sequence_number: int = 1


class Media(NamedTuple):
    """
    Audio of any length. `timestamp_ms` counts from the start of the stream, but not from 0.

    A tuple, because it is made fifty times a second for each call.
    """

    stream_sid: str
    audio: bytes
    track: str = INBOUND
    chunk: int = 0
    """Counts the media of a track from 1; 0 where it was not sent."""
    timestamp_ms: int = 0
    sequence_number: int = 0

    def __repr__(self) -> str:
        return f"Media(stream_sid={self.stream_sid!r}, {len(self.audio)} bytes)"


@dataclass(frozen=True, slots=True)
class Dtmf:
    """A key that the caller pressed: 0-9, *, # or A-D."""

    stream_sid: str
    digit: str = field(repr=False)
    track: str = "inbound_track"
    sequence_number: int = 0


@dataclass(frozen=True, slots=True)
class Mark:
    """Everything that we sent before this mark was played, or was cleared."""

    stream_sid: str
    name: str
    sequence_number: int = 0


@dataclass(frozen=True, slots=True)
class Stop:
    """The stream was stopped or the call is over."""

    stream_sid: str
    account_id: str = ""
    call_id: str = ""
    sequence_number: int = 0


@dataclass(frozen=True, slots=True)
class SendMedia:
    """Queue this audio for the caller."""

    stream_sid: str
    audio: bytes = field(repr=False)


@dataclass(frozen=True, slots=True)
class SendMark:
    """Say when all audio before this has been played."""

    stream_sid: str
    name: str


@dataclass(frozen=True, slots=True)
class SendClear:
    """Drop all queued audio and send its marks back."""

    stream_sid: str


TwilioEvent = Connected | Start | Media | Dtmf | Mark | Stop
TwilioCommand = SendMedia | SendMark | SendClear
