"""
The clock of the event loop, as a machine with a deadline needs it.

Rule: an alarm never rings early. Event loops may call a little before the time, and again at
once where they are asked to; and a deadline moves on far more often than it is reached.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from bridge.nobody import nobody

__all__ = ["Alarm"]

SHORTEST_WAIT = 0.001  # seconds; what loops' timers are good for
NEVER = float("inf")


class Alarm:
    """Calls `ring` at the time to which it is set. To put it off costs nothing."""

    def __init__(self, ring: Callable[[], None]) -> None:
        self._ring = ring
        self._at = NEVER
        self._timer: asyncio.TimerHandle | None = None
        self._timer_at = NEVER

    def set(self, at: float | None) -> None:
        """`at` is in seconds of the loop's clock; None: do not ring."""
        self._at = NEVER if at is None else at
        if self._at < self._timer_at:
            self._start()
        elif at is None:
            self._cancel()

    def after(self, seconds: float) -> None:
        """Ring so many seconds from now."""
        self.set(asyncio.get_running_loop().time() + seconds)

    def stop(self) -> None:
        """Never ring again. Whom it would have called is let go of."""
        self.set(None)
        self._ring = nobody

    @property
    def at(self) -> float:
        """When it will ring; infinity: it will not."""
        return self._at

    def _start(self) -> None:
        self._cancel()
        loop = asyncio.get_running_loop()
        wait = max(self._at - loop.time(), SHORTEST_WAIT)
        self._timer, self._timer_at = loop.call_later(wait, self._look), self._at

    def _cancel(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
        self._timer, self._timer_at = None, NEVER

    def _look(self) -> None:
        self._cancel()
        if self._at == NEVER:
            return
        if asyncio.get_running_loop().time() < self._at:
            self._start()
        else:
            self._at = NEVER
            self._ring()
