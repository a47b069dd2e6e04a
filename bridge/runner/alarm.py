"""The clock of the event loop, as a machine with a deadline needs it."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

__all__ = ["Alarm"]


class Alarm:
    """Calls `ring` at the time to which it is set. Setting it to that time again costs nothing."""

    def __init__(self, ring: Callable[[], None]) -> None:
        self._ring = ring
        self._at: float | None = None
        self._timer: asyncio.TimerHandle | None = None

    def set(self, at: float | None) -> None:
        """`at` is in seconds of the loop's clock; None: do not ring."""
        if at == self._at:
            return
        if self._timer is not None:
            self._timer.cancel()
        self._at, self._timer = at, None
        if at is not None:
            self._timer = asyncio.get_running_loop().call_at(at, self._go_off)

    def _go_off(self) -> None:
        self._at = self._timer = None
        self._ring()
