"""
How much a worker has to do, and whether another call would make the others stutter.

Rule: it is measured and not guessed. A worker is one thread on one core: it has too much to do
when its event loop was late for a good part of the last second, or when the thread was at work
nearly all of it. It has enough room again only when it is well below that, so that it does not
change its mind with every call.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass

__all__ = ["Strain"]

WINDOW = 1.0  # seconds that are looked back on
LATE = 0.025  # seconds: more than a frame of audio, and its listener may run out of them
MOST_LATE, LITTLE_LATE = 0.3, 0.2  # of the window, how long the loop was so late
MOST_BUSY, LITTLE_BUSY = 0.8, 0.65  # of a core


@dataclass(frozen=True, slots=True)
class _Sample:
    at: float
    since: float
    late: bool
    cpu: float

    def within(self, begin: float) -> float:
        """Seconds of the sample's own that lie behind `begin`."""
        return self.at - max(self.since, begin)


class Strain:
    """
    `saw` is told, at any intervals, how late the loop was just now and how many seconds of a
    processor its thread has used so far. Before the first second is over nothing is known of
    the processor, and that is no strain.
    """

    def __init__(self) -> None:
        self.overloaded = False
        self._samples: deque[_Sample] = deque()

    def saw(self, late: float, cpu: float, now: float) -> None:
        """`late` and `cpu` in seconds."""
        since = self._samples[-1].at if self._samples else now
        self._samples.append(_Sample(now, since, late > LATE, cpu))
        begin = now - WINDOW
        # One sample stays that is older, for the processor's time is counted from there.
        while len(self._samples) > 2 and self._samples[1].at <= begin:
            self._samples.popleft()
        share = sum(sample.within(begin) for sample in self._samples if sample.late) / WINDOW
        busy = self._busy(now)
        if self.overloaded:
            self.overloaded = share > LITTLE_LATE or busy > LITTLE_BUSY
        else:
            self.overloaded = share > MOST_LATE or busy > MOST_BUSY

    def _busy(self, now: float) -> float:
        """The share of a core since the oldest sample; 0 where that tells too little."""
        oldest, newest = self._samples[0], self._samples[-1]
        spent = now - oldest.at
        return (newest.cpu - oldest.cpu) / spent if spent >= WINDOW else 0.0
