"""
Many who want to be called in a steady rhythm, on one timer.

Rule: who is added takes the emptiest slot of a period and keeps it, so that calls are
spread over time as callers are, and the timer rests while no slot is due.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable

__all__ = ["Pacer", "Wheel"]

SLOT_SECONDS = 0.002
EARLY_SECONDS = 0.0005  # a timer that wakes so early is not put off again

Beat = Callable[[], None]


class Wheel:
    """Says, told the time, whose turn it is. `period` and `now` are seconds."""

    def __init__(self, period: float, slot: float = SLOT_SECONDS) -> None:
        self._slots: list[list[Beat]] = [[] for _ in range(round(period / slot))]
        self._slot = slot
        self._began = 0.0
        self._turn = 0
        self._members = 0
        self.late_ms: list[float] = []
        """How late each turn that somebody had was looked at."""

    def add(self, beat: Beat, now: float) -> None:
        """Let `beat` take part."""
        if not self._members:
            self._began, self._turn = now, 0
        self._members += 1
        min(self._slots, key=len).append(beat)

    def remove(self, beat: Beat) -> None:
        """Let it go, if it is there."""
        for slot in self._slots:
            if beat in slot:
                slot.remove(beat)
                self._members -= 1

    @property
    def deadline(self) -> float | None:
        """When the next turn is that somebody has; None where nobody is."""
        if not self._members:
            return None
        while not self._slots[self._turn % len(self._slots)]:
            self._turn += 1
        return self._began + self._turn * self._slot

    def due(self, now: float) -> list[Beat]:
        """Those whose turn has come, and all whose turn was missed."""
        due: list[Beat] = []
        while (deadline := self.deadline) is not None and deadline <= now + EARLY_SECONDS:
            self.late_ms.append((now - deadline) * 1000)
            due += self._slots[self._turn % len(self._slots)]
            self._turn += 1
        return due


class Pacer:
    """A wheel that is turned by the event loop."""

    def __init__(self, period: float) -> None:
        self.wheel = Wheel(period)
        self._timer: asyncio.TimerHandle | None = None

    def add(self, beat: Beat) -> None:
        self.wheel.add(beat, time.monotonic())
        self._wait()

    def remove(self, beat: Beat) -> None:
        self.wheel.remove(beat)

    def _wait(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
        deadline = self.wheel.deadline
        if deadline is not None:
            wait = max(deadline - time.monotonic(), 0.0)
            self._timer = asyncio.get_running_loop().call_later(wait, self._turn)

    def _turn(self) -> None:
        for beat in self.wheel.due(time.monotonic()):
            beat()
        self._wait()
