"""
What is known of a stream that comes in (RFC 3550 sections 6.4.1 and A.1 to A.8).

`Source` says where a packet stands in its stream, `Statistics` counts over all of them.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum, auto

from bridge.wire.rtp.payloads import RATE

__all__ = ["Arrival", "Source", "Statistics"]

_CYCLE = 0x10000
_MAX_DROPOUT = 3000  # packets that may be missing in a row
_MAX_MISORDER = 100  # packets that one may be late
_REMEMBERED = 128  # sequence numbers that are known to have come
_MOST_LOST = 0x7FFFFF
_HALF = 0x80000000


class Arrival(Enum):
    """What a sequence number says about its packet."""

    NEXT = auto()
    AHEAD = auto()
    """Newer than all, and others are missing before it."""
    BEHIND = auto()
    """Older than the newest."""
    DUPLICATE = auto()
    ASTRAY = auto()
    """Too far from the others. Two of them in a row are a restart."""
    RESTART = auto()


@dataclass(slots=True)
class Statistics:
    """Of the whole call, whatever its sources. Counts are of packets, but for `…_ms`."""

    received: int = 0
    lost: int = 0
    """Expected and never seen; a packet that comes late makes it smaller again."""
    late: int = 0
    """Came when their time had passed."""
    duplicate: int = 0
    malformed: int = 0
    unknown: int = 0
    """Of a payload type that was not agreed on."""
    astray: int = 0
    """Of a source or a place in the stream that nobody expected."""
    strangers: int = 0
    """From an address that is not the other end's."""
    restarts: int = 0
    """New sources, and new numbers of a source."""
    concealed_ms: int = 0
    played_ms: int = 0
    skipped_ms: int = 0
    """Left out, mostly of silence, to wait less."""
    stretched_ms: int = 0
    """Added, mostly of silence, to wait longer."""
    jitter_ms: float = 0.0


class Source:
    """One SSRC: its sequence numbers, its losses, its jitter."""

    __slots__ = (
        "_base",
        "_came",
        "_expected_before",
        "_jitter",
        "_received_before",
        "_seen",
        "_stray",
        "_timestamp",
        "highest",
        "received",
        "ssrc",
    )

    def __init__(self, ssrc: int, sequence: int) -> None:
        self.ssrc = ssrc
        self._begin(sequence)

    def _begin(self, sequence: int) -> None:
        self._base = sequence
        self.highest = sequence - 1
        """The highest sequence number, with the cycles that it went through."""
        self._seen = 0  # bit n: highest - n has come
        self.received = 0
        self._stray = -1
        self._expected_before = 0
        self._received_before = 0
        self._came: float | None = None
        self._timestamp = 0
        self._jitter = 0.0

    @property
    def expected(self) -> int:
        return self.highest - self._base + 1

    @property
    def lost(self) -> int:
        """Packets that are missing, never below 0."""
        return max(self.expected - self.received, 0)

    @property
    def jitter(self) -> float:
        """In units of RTP's clock."""
        return self._jitter

    def arrive(self, sequence: int) -> Arrival:
        """Take note of a packet by its sequence number."""
        ahead = (sequence - self.highest) & 0xFFFF
        if ahead == 1:
            self._count(1)
            return Arrival.NEXT
        if ahead == 0:
            return Arrival.DUPLICATE
        if ahead < _MAX_DROPOUT:
            self._count(ahead)
            return Arrival.AHEAD
        behind = _CYCLE - ahead
        if behind <= _MAX_MISORDER:
            return self._look_back(behind)
        return self._astray(sequence)

    def timed(self, timestamp: int, now: float) -> None:
        """Take note of when an audio packet came (RFC 3550 section A.8)."""
        if self._came is not None:
            since = ((timestamp - self._timestamp + _HALF) & 0xFFFFFFFF) - _HALF
            change = abs((now - self._came) * RATE - since)
            self._jitter += (change - self._jitter) / 16
        self._came = now
        self._timestamp = timestamp

    def untimed(self) -> None:
        """The next packet's time says nothing about the last one's: the stream jumped."""
        self._came = None

    def interval(self) -> tuple[int, int]:
        """Since this was last asked: the fraction lost in 1/256, and since the start the loss."""
        expected = self.expected - self._expected_before
        received = self.received - self._received_before
        self._expected_before, self._received_before = self.expected, self.received
        lost = expected - received
        fraction = min((lost << 8) // expected, 255) if expected > 0 and lost > 0 else 0
        return fraction, min(self.expected - self.received, _MOST_LOST)

    def _count(self, ahead: int) -> None:
        self.highest += ahead
        self._seen = ((self._seen << ahead) | 1) & _WINDOW if ahead < _REMEMBERED else 1
        self.received += 1
        self._stray = -1

    def _look_back(self, behind: int) -> Arrival:
        if self.highest - behind < self._base:
            return Arrival.ASTRAY  # older than the first that we know
        if self._seen >> behind & 1:
            return Arrival.DUPLICATE
        self._seen |= 1 << behind
        self.received += 1
        return Arrival.BEHIND

    def _astray(self, sequence: int) -> Arrival:
        if sequence != self._stray:
            self._stray = (sequence + 1) & 0xFFFF
            return Arrival.ASTRAY
        self._begin(sequence)
        self._count(1)
        return Arrival.RESTART


_WINDOW = (1 << _REMEMBERED) - 1
