"""The timers of RFC 3261 (table 4) and RFC 6026, in seconds."""

from __future__ import annotations

__all__ = ["GIVE_UP", "INFINITY", "T1", "T2", "T4", "WAIT_FOR_COPIES", "Repeater", "earliest"]

T1 = 0.5
"""A round trip, at most."""
T2 = 4.0
"""The longest pause between copies of a request that is no INVITE, and of answers to INVITE."""
T4 = 5.0
"""How long a message may stay in the network."""
GIVE_UP = 64 * T1
"""Timers B, F, H, J, L and M: nothing more comes after that."""
WAIT_FOR_COPIES = 32.0
"""Timer D."""
INFINITY = float("inf")


class Repeater:
    """When to send the next copy: after T1, then after twice as long each time."""

    def __init__(self, now: float, *, longest: float = T2, active: bool = True) -> None:
        self._pause = T1
        self._longest = longest
        self.deadline = now + T1 if active else INFINITY

    def due(self, now: float) -> bool:
        """Whether a copy is to be sent now; the next one is then a longer pause away."""
        if now < self.deadline:
            return False
        self._pause = min(2 * self._pause, self._longest)
        self.deadline = now + self._pause
        return True

    def slow(self, now: float) -> None:
        """A provisional answer came: copies go on every T2 only (timer E)."""
        if self.deadline < INFINITY:
            self._pause = T2
            self.deadline = now + T2

    def stop(self) -> None:
        self.deadline = INFINITY


def earliest(*deadlines: float | None) -> float | None:
    """The first of some deadlines; None if there is none."""
    first = min((one for one in deadlines if one is not None), default=INFINITY)
    return None if first == INFINITY else first
