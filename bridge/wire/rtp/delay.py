"""
How long audio has to wait so that most of it is there in time.

The fastest packets of the last seconds say where the other end's clock stands, even if it
runs a little faster or slower than ours; how much slower the others were says how long to
wait. All in samples.
"""

from __future__ import annotations

from bridge.wire.rtp.payloads import RATE

__all__ = ["Delay"]

_STEP = 80  # samples: delays are told apart in 10 ms
_STEPS = 40
_PACKETS = 250  # that are remembered: five seconds of 20 ms
_LATE_OF_PACKETS = 50  # one of so many may be late
_LOOK_EVERY = 10  # packets
_BASE_SECONDS = 4.0  # a fast packet counts for one to two of these


class Delay:
    """`least` and `most` bound what is waited, `target` is where it begins."""

    __slots__ = (
        "_base",
        "_base_before",
        "_base_until",
        "_counts",
        "_fresh",
        "_least",
        "_most",
        "_next",
        "_steps",
        "target",
    )

    def __init__(self, least: int, most: int, target: int) -> None:
        self._least = least
        self._most = most
        self.target = target
        self._base = self._base_before = float("inf")
        self._base_until = float("-inf")
        self._steps = bytearray()
        self._next = 0
        self._counts = [0] * _STEPS
        self._fresh = 0

    @property
    def base(self) -> float:
        """The clock minus the position of the fastest packets."""
        return min(self._base, self._base_before)

    def arrived(self, position: int, now: float, early: int = 0) -> None:
        """
        A packet whose first sample is at `position` came. It is needed `early` samples before
        that one is played: when the frame begins that it is in.
        """
        transit = now * RATE - position
        if now >= self._base_until:
            self._base_before, self._base = self._base, transit
            self._base_until = now + _BASE_SECONDS
        elif transit < self._base:
            self._base = transit
        waited = transit + early - min(self._base, self._base_before)
        self._remember(min(int(waited) // _STEP, _STEPS - 1))

    def position(self, now: float) -> float:
        """Which sample should be played now."""
        return now * RATE - self.base - self.target

    def latest(self, now: float) -> float:
        """Which sample is to be played now at the least, however long others take."""
        return now * RATE - self.base - self._most

    def _remember(self, step: int) -> None:
        counts = self._counts
        counts[step] += 1
        if len(self._steps) < _PACKETS:
            self._steps.append(step)
        else:
            counts[self._steps[self._next]] -= 1
            self._steps[self._next] = step
            self._next = (self._next + 1) % _PACKETS
        self._fresh += 1
        if self._fresh >= _LOOK_EVERY:
            self._fresh = 0
            self._aim()

    def _aim(self) -> None:
        late = len(self._steps) // _LATE_OF_PACKETS
        step = _STEPS
        while step > 0 and late >= 0:
            step -= 1
            late -= self._counts[step]
        self.target = min(max((step + 1) * _STEP, self._least), self._most)
