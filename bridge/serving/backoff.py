"""
When a worker that died is started again.

Rule: it is told how long a life was; nothing here waits.
"""

from __future__ import annotations

__all__ = ["Backoff"]

FIRST_DELAY = 0.1  # seconds before a worker that died young twice is started again
LONGEST_DELAY = 5.0
FORGIVEN = 5.0  # seconds of life after which a death counts as the first


class Backoff:
    """At once the first time, then later and later."""

    def __init__(self) -> None:
        self._deaths = 0

    def delay(self, lived: float) -> float:
        """Seconds to wait after a life of `lived` seconds."""
        self._deaths = 1 if lived >= FORGIVEN else self._deaths + 1
        if self._deaths == 1:
            return 0.0
        # Bounded before it is raised to a power: somebody may die for a year.
        return min(FIRST_DELAY * 2.0 ** min(self._deaths - 2, 16), LONGEST_DELAY)
