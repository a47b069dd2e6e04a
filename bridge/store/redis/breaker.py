"""
A breaker: after some failures in a row the store is left alone for a while.

So a store that is down costs nobody a time-out more than once in a while.
"""

from __future__ import annotations

__all__ = ["Breaker"]

LIMIT = 3  # failures in a row
PAUSE = 1.0  # seconds


class Breaker:
    """`now` is seconds, monotonic."""

    def __init__(self, limit: int = LIMIT, pause: float = PAUSE) -> None:
        self._limit = limit
        self._pause = pause
        self._failures = 0
        self._until: float | None = None

    @property
    def open(self) -> bool:
        """Whether it failed so often that only now and then somebody may try."""
        return self._until is not None

    def allows(self, now: float) -> bool:
        """Whether to try. While it is open, one may try after each pause."""
        if self._until is None:
            return True
        if now < self._until:
            return False
        self._until = now + self._pause
        return True

    def succeeded(self) -> None:
        self._failures, self._until = 0, None

    def failed(self, now: float) -> None:
        self._failures += 1
        if self._failures >= self._limit:
            self._until = now + self._pause
