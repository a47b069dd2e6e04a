"""Keys that the caller presses, gathered into what they mean to enter."""

from __future__ import annotations

__all__ = ["Digits"]

PAUSE = 1.5  # seconds without a key after which the entry is complete
MAX_DIGITS = 32
KEYS_PER_SECOND = 10.0  # for long; nobody presses faster
MAX_BURST = 32.0  # keys at once: what a stalled network held back was pressed in time


class Digits:
    """An entry is complete at "#", after a pause, or when it is as long as it may be."""

    def __init__(self) -> None:
        self._entry = ""
        self._last = float("-inf")
        self._room = MAX_BURST
        self.ignored = 0
        """Keys of a flood that no finger makes."""

    @property
    def deadline(self) -> float | None:
        """When the entry will be complete, if no other key comes."""
        return self._last + PAUSE if self._entry else None

    def press(self, digit: str, now: float) -> str | None:
        """One key; returns the entry if that completes it."""
        self._room = min(MAX_BURST, self._room + (now - self._last) * KEYS_PER_SECOND)
        self._last = now
        if self._room < 1:
            self.ignored += 1
            return None
        self._room -= 1
        self._entry += digit
        complete = digit == "#" or len(self._entry) >= MAX_DIGITS
        return self._take() if complete else None

    def pause(self, now: float) -> str | None:
        """Time has passed; returns the entry if that completes it."""
        return self._take() if self._entry and now >= self._last + PAUSE else None

    def forget(self) -> None:
        """Nobody wants to know any more."""
        self._entry = ""

    def _take(self) -> str:
        entry, self._entry = self._entry, ""
        return entry
