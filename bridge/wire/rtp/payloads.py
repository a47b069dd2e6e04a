"""What the numbers in RTP packets mean in one call."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from bridge.audio.formats import ALAW_8K, ULAW_8K, AudioFormat

__all__ = ["RATE", "Address", "Outgoing", "Payloads", "law"]

RATE = 8_000
"""Samples a second, of the audio and of RTP's clock alike."""

Address = tuple[str, int]
"""Host and port of a datagram's sender or receiver."""

_STATIC: Mapping[int, AudioFormat] = {0: ULAW_8K, 8: ALAW_8K}


@dataclass(frozen=True, slots=True)
class Payloads:
    """
    `audio`: payload types of G.711. `events`: those of RFC 4733's keys. `noise`: those of
    comfort noise (RFC 3389). All others are counted and dropped.
    """

    audio: Mapping[int, AudioFormat] = field(default_factory=lambda: dict(_STATIC))
    events: frozenset[int] = frozenset()
    noise: frozenset[int] = frozenset({13})


@dataclass(frozen=True, slots=True)
class Outgoing:
    """How we send: audio as `payload_type`, keys as `events` (None: the other end takes none)."""

    payload_type: int = 0
    format: AudioFormat = ULAW_8K
    ptime_ms: int = 20
    events: int | None = None
    sends: bool = True
    """False while the call is on hold: audio for the caller then waits."""


def law(format: AudioFormat) -> str:
    """ "u" for mu-law, "a" for A-law. Raises ValueError for what is not G.711."""
    if format == ULAW_8K:
        return "u"
    if format == ALAW_8K:
        return "a"
    raise ValueError("RTP here carries G.711 at 8000 Hz only")
