"""Which of many machines wants to be woken first."""

from __future__ import annotations

import heapq
from collections.abc import Hashable
from typing import Generic, TypeVar

__all__ = ["Alarms"]

Key = TypeVar("Key", bound=Hashable)


class Alarms(Generic[Key]):
    """One deadline a key. One that was replaced stays in the heap and counts for nothing."""

    def __init__(self) -> None:
        self._set: dict[Key, float] = {}
        self._heap: list[tuple[float, int, Key]] = []
        self._counter = 0

    def set(self, key: Key, deadline: float | None) -> None:
        """None, or infinity: never."""
        if deadline is None or deadline == float("inf"):
            self._set.pop(key, None)
        elif self._set.get(key) != deadline:
            self._set[key] = deadline
            self._counter += 1
            heapq.heappush(self._heap, (deadline, self._counter, key))
        if len(self._heap) > 4 * len(self._set) + 64:
            self._rebuild()

    @property
    def deadline(self) -> float | None:
        while self._heap and self._set.get(self._heap[0][2]) != self._heap[0][0]:
            heapq.heappop(self._heap)
        return self._heap[0][0] if self._heap else None

    def due(self, now: float) -> list[Key]:
        """Whose time has come; each has to set its alarm again."""
        keys: list[Key] = []
        while (deadline := self.deadline) is not None and deadline <= now:
            key = heapq.heappop(self._heap)[2]
            del self._set[key]
            keys.append(key)
        return keys

    def _rebuild(self) -> None:
        self._heap = [
            (deadline, number, key) for number, (key, deadline) in enumerate(self._set.items())
        ]
        self._counter = len(self._heap)
        heapq.heapify(self._heap)
