"""A call's timeline: what happened when, without a word of what was said."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from bridge.call.vocabulary import Happened

__all__ = ["Entry", "Timeline"]

MAX_ENTRIES = 500


@dataclass(frozen=True, slots=True)
class Entry:
    """`at` is in seconds from the beginning of the call."""

    at: float
    happened: Happened


class Timeline:
    """Bounded: the oldest entries of a very long call go. `earlier`: from legs before this."""

    def __init__(self, began: float, earlier: Iterable[Entry] = ()) -> None:
        self._began = began
        self._entries: deque[Entry] = deque(earlier, maxlen=MAX_ENTRIES)

    def add(self, happened: Happened, now: float) -> None:
        self._entries.append(Entry(now - self._began, happened))

    def __iter__(self) -> Iterator[Entry]:
        return iter(tuple(self._entries))
