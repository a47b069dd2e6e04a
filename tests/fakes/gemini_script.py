"""What a fake Gemini Live server is to do: its answers step by step, and its moods."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

__all__ = [
    "Answer",
    "Calls",
    "Cut",
    "GoAway",
    "Handle",
    "Hang",
    "Pause",
    "Raw",
    "Say",
    "Script",
    "Step",
    "call",
]


@dataclass(frozen=True)
class Say:
    """Speak: `pcm` (16 bit, 24 kHz) or a tone of `seconds`, with its transcript."""

    text: str = "Hello, how can I help?"
    seconds: float = 0.3
    pcm: bytes | None = None


@dataclass(frozen=True)
class Calls:
    """Call tools, all in one message, and wait until every one is answered or taken back."""

    calls: tuple[Mapping[str, Any], ...]
    taken_back_after: float | None = None
    """Seconds until the model no longer wants to know."""


@dataclass(frozen=True)
class Pause:
    seconds: float


@dataclass(frozen=True)
class GoAway:
    """Announce the end of the connection, and close it then."""

    seconds: float
    code: int = 1001


@dataclass(frozen=True)
class Handle:
    """Say whether the session can be resumed just now."""

    resumable: bool = True


@dataclass(frozen=True)
class Cut:
    """Close the connection; code 1006 breaks it without a word."""

    code: int = 1011
    reason: str = "Internal error encountered."


@dataclass(frozen=True)
class Hang:
    """Say nothing more, and keep the connection."""


@dataclass(frozen=True)
class Raw:
    """Any message that the protocol allows."""

    message: Mapping[str, Any]


Step = Say | Calls | Pause | GoAway | Handle | Cut | Hang | Raw
Answer = Sequence[Step]


def call(name: str, call_id: str, **args: Any) -> Mapping[str, Any]:
    """One function call."""
    return {"id": call_id, "name": name, "args": args}


@dataclass
class Script:
    """The answers to the caller's turns, in order, and how the server behaves besides."""

    answers: list[Answer] = field(default_factory=list)
    otherwise: Answer = (Say(),)
    """The answer when the others are used up."""
    heard: str = "hello"
    """What it understands whenever the caller speaks."""
    playback: float = 1.0
    """Which part of an answer's duration it waits before the turn is complete."""
    setup_seconds: float = 0.0
    refuse_http: int | None = None
    refuse_setup: tuple[int, str] | None = None
    resumable: bool = True
    speech_events: bool = False
    """Whether it tells the caller's speech with `voiceActivity`."""
    keys: frozenset[str] = frozenset({"test-key"})
    tokens: frozenset[str] = frozenset({"test-token"})
