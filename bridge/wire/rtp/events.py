"""Keys in RTP (RFC 4733): read, each press once, and written."""

from __future__ import annotations

import struct
from collections.abc import Iterator
from dataclasses import dataclass

from bridge.audio.tones import KEYS
from bridge.wire.rtp.faults import Reason, RtpError

__all__ = ["Event", "Press", "Presses", "read", "write"]

_EVENT = struct.Struct(">BBH")
_END = 0x80
_VOLUME = 0x3F
_LOUDNESS = 10  # -10 dBm0, as most telephones have it
_LONGEST = 0xFFFF  # units in one event; a longer press goes on in another
_SLACK = 400  # units between two packets of one press
_HALF = 0x80000000
_COPIES_OF_END = 3


@dataclass(frozen=True, slots=True)
class Event:
    """What one packet says of a press. `duration` counts from the packet's timestamp."""

    number: int
    end: bool
    volume: int
    """Below 0 dBm0."""
    duration: int


def read(payload: bytes) -> Event:
    """The first event of a payload; some pad it. Raises RtpError."""
    if len(payload) < _EVENT.size:
        raise RtpError(Reason.EVENT)
    number, flags, duration = _EVENT.unpack_from(payload)
    return Event(number, flags >= _END, flags & _VOLUME, duration)


def write(event: Event) -> bytes:
    flags = event.volume | _END if event.end else event.volume
    return _EVENT.pack(event.number, flags, event.duration)


class Presses:
    """
    Which packets are a new press: a key is told as soon as the first packet of it comes, so
    that it does not matter which others are lost.
    """

    __slots__ = ("_last", "_timestamp")

    def __init__(self) -> None:
        self._last: Event | None = None
        self._timestamp = 0

    def take(self, timestamp: int, event: Event, *, marker: bool) -> str:
        """The digit when this begins a press of one; "" for all that goes on, or is late."""
        before = self._last
        since = (timestamp - self._timestamp) & 0xFFFFFFFF
        if before is not None and since == 0:
            if event.duration >= before.duration or event.end:
                self._last = event
            return ""
        if before is not None and since >= _HALF:
            return ""
        goes_on = before is not None and not marker and _goes_on(before, event, since)
        self._last, self._timestamp = event, timestamp
        return "" if goes_on or event.number >= len(KEYS) else KEYS[event.number]

    def forget(self) -> None:
        """A new source: its timestamps have nothing to do with those before."""
        self._last = None


def _goes_on(before: Event, event: Event, since: int) -> bool:
    """
    Whether a new timestamp is still the same press: the next segment of a long one, or the
    next packet of a telephone that gives each its own timestamp.
    """
    if event.number != before.number or before.end:
        return False
    return since <= max(before.duration, _LONGEST if before.duration > _HELD else 0) + _SLACK


_HELD = 0xF000


class Press:
    """A press of ours: the payloads of its packets, `step` units apart."""

    __slots__ = ("_number", "duration")

    def __init__(self, digit: str, duration: int) -> None:
        """Raises ValueError for what is no key, and for a duration that has no room."""
        self._number = KEYS.index(digit.upper())
        if len(digit) != 1 or not 0 < duration <= _LONGEST:
            raise ValueError("a press is of one key, and no longer than eight seconds")
        self.duration = duration

    def payloads(self, step: int) -> Iterator[bytes]:
        """One for each packet; the last one is repeated, because it matters most."""
        for duration in range(step, self.duration, step):
            yield write(Event(self._number, False, _LOUDNESS, duration))
        end = write(Event(self._number, True, _LOUDNESS, self.duration))
        for _ in range(_COPIES_OF_END):
            yield end
