"""What goes wrong again and again is said now and then, with how often it was."""

from __future__ import annotations

import threading
from collections.abc import Callable

__all__ = ["Seldom"]

SECONDS = 30.0  # between two times that the same is said


class Seldom:
    """
    Knows whether it is time to speak. `clock` gives seconds, monotonic.

    Any thread may ask.
    """

    def __init__(self, clock: Callable[[], float], seconds: float = SECONDS) -> None:
        self._clock = clock
        self._seconds = seconds
        self._next = float("-inf")
        self._times = 0
        self._lock = threading.Lock()

    def again(self) -> int:
        """It has happened. How often, since it was last said, if it is time to say so; else 0."""
        with self._lock:
            self._times += 1
            now = self._clock()
            if now < self._next:
                return 0
            self._next = now + self._seconds
            times, self._times = self._times, 0
            return times
