"""
One timer for all calls of a process.

Rule: whoever is woken says when it wants to be woken next, as a time and not as a pause, so
that no delay adds up. Those whose times lie close together are woken at once.
"""

from __future__ import annotations

import asyncio
import heapq
import itertools
from collections.abc import Callable

__all__ = ["Clock", "Sleeper"]

SLACK = 0.001  # seconds that somebody may be woken too early, with others


class Sleeper:
    """Somebody with a deadline. `wake` is told the time, and returns when it wants to go on."""

    __slots__ = ("deadline", "wake")

    def __init__(self, wake: Callable[[float], float | None]) -> None:
        self.wake = wake
        self.deadline: float | None = None


class Clock:
    """Times are the loop's, in seconds."""

    def __init__(self) -> None:
        self._loop = asyncio.get_running_loop()
        self._heap: list[tuple[float, int, Sleeper]] = []
        self._numbers = itertools.count()
        self._timer: asyncio.TimerHandle | None = None
        self._timer_at = float("inf")

    def time(self) -> float:
        return self._loop.time()

    def set(self, sleeper: Sleeper, deadline: float | None) -> None:
        """Wake it then, and not at the time that was set before."""
        if deadline == sleeper.deadline:
            return
        sleeper.deadline = deadline
        if deadline is not None:
            heapq.heappush(self._heap, (deadline, next(self._numbers), sleeper))
            self._arm()

    def close(self) -> None:
        """Nobody is woken any more."""
        self._heap.clear()
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _ring(self) -> None:
        self._timer, self._timer_at = None, float("inf")
        now = self._loop.time()
        try:
            while self._heap and self._heap[0][0] <= now + SLACK:
                deadline, _, sleeper = heapq.heappop(self._heap)
                if deadline == sleeper.deadline:  # else it was set anew
                    sleeper.deadline = None
                    self.set(sleeper, sleeper.wake(max(now, deadline)))
        finally:
            self._arm()  # a fault in one call must not stop the others

    def _arm(self) -> None:
        if not self._heap or self._heap[0][0] >= self._timer_at:
            return
        if self._timer is not None:
            self._timer.cancel()
        self._timer_at = self._heap[0][0]
        self._timer = self._loop.call_at(self._timer_at, self._ring)
