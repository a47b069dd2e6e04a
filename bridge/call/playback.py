"""
What the caller has heard.

Rule: only the carrier knows, and it tells by marks; between two of them the clock says how
far the caller is, and never beyond the next one. There is a mark soon after the agent begins,
which shows how far behind the carrier is, one every MARK_MS from then on, and one at the end.
Marks that come back because the queue was cleared belong to an epoch that is over, and count
for nothing.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass
from typing import NamedTuple

from bridge.audio.formats import AudioFormat
from bridge.call.vocabulary import Truncate
from bridge.ports import leg

__all__ = ["Playback"]

LATE_MARK = 5.0  # seconds after which a mark that is due is not waited for any more
FIRST_MARK_MS = 100  # of audio before the first mark, where nothing was queued
MARK_MS = 1000  # of audio between two marks, at most


@dataclass(slots=True, eq=False)
class _Item:
    """An item of the model's; two of them may bear the same id in two sessions."""

    item_id: str
    size: int = 0


@dataclass(slots=True, eq=False)
class _Span:
    """A run of one item's voice: where it begins in the item, and where in all that was sent."""

    item: _Item
    offset: int
    begin: int
    end: int


class _Mark(NamedTuple):
    name: str
    position: int
    """Bytes that were sent before it, of all items."""


class Playback:
    """The agent's voice on its way to the caller's ear, in the leg's format."""

    def __init__(self, format: AudioFormat) -> None:
        self._format = format
        self._bytes_per_second = format.bytes_per_second
        self._first_size = format.size(FIRST_MARK_MS)
        self._mark_size = format.size(MARK_MS)
        self._spans: deque[_Span] = deque()
        self._marks: deque[_Mark] = deque()
        self._sent = self._marked = self._passed = 0  # bytes: sent, before the last mark, heard
        self._due = 0  # where the next mark belongs
        self._ends_at = float("-inf")
        self._item = _Item("")
        self._epoch = 0
        self._number = 0

    @property
    def speaking(self) -> bool:
        """Whether the caller still has to hear something."""
        return self._sent > self._passed

    @property
    def ends_at(self) -> float:
        """When the caller should have heard everything; in the past where marks are late."""
        return self._ends_at

    @property
    def busy_until(self) -> float:
        """How long the carrier's marks are waited for; in the past when there are none."""
        return self._ends_at + LATE_MARK if self.speaking else float("-inf")

    def play(self, item_id: str, audio: bytes, now: float) -> list[leg.Play]:
        """Send a part of an item, with the marks that are due in it."""
        begin, size = self._sent, len(audio)
        if begin == self._passed:
            self._due = begin + self._first_size
        span = self._spans[-1] if self._spans else None
        if span is None or span.item is not self._item or item_id != self._item.item_id:
            span = self._begin_span(item_id)
        span.item.size += size
        self._sent = span.end = end = begin + size
        self._ends_at = max(self._ends_at, now) + size / self._bytes_per_second
        if end < self._due:
            return [leg.Play(audio)]
        plays = []
        while (due := self._due) <= end:
            plays.append(leg.Play(audio[: due - begin], self._mark(due)))
            audio, begin = audio[due - begin :], due
        return [*plays, leg.Play(audio)] if audio else plays

    def finish(self) -> list[leg.Play]:
        """Nothing more is to come for now: the mark that tells when all of it was heard."""
        return [leg.Play(b"", self._mark(self._sent))] if self._sent > self._marked else []

    def played(self, mark: str, now: float) -> bool:
        """The carrier is past `mark`; False for a mark that counts for nothing."""
        for passed in self._marks:  # as a rule it is the first
            if passed.name == mark:
                break
        else:
            return False
        while self._marks.popleft() is not passed:
            pass
        self._passed = passed.position
        self._ends_at = now + (self._sent - self._passed) / self._bytes_per_second
        while self._spans and self._spans[0].end <= self._passed:
            self._spans.popleft()
        return True

    def clear(self, now: float) -> list[Truncate]:
        """Forget what is queued; tells of each item that was cut how much was heard."""
        cuts = self.unheard(now)
        self._spans.clear()
        self._marks.clear()
        self._passed = self._marked = self._sent
        self._ends_at = min(self._ends_at, now)
        self._epoch += 1
        return cuts

    def unheard(self, now: float) -> list[Truncate]:
        """Of each item that is not played to its end yet, how much was heard."""
        heard, last = self._heard(now), self._sent
        return [
            self._heard_until(span.item, span.offset + max(heard - span.begin, 0))
            for span in self._spans
            if span.end > heard or span.end == last
        ]

    def so_far(self) -> list[Truncate]:
        """Of the item that came last everything that is here was heard."""
        return [self._heard_until(self._item, self._item.size)] if self._item.size else []

    def begin_session(self) -> None:
        """Items that come from now on are new, though they may bear old ids."""
        self._item = _Item("")

    def _begin_span(self, item_id: str) -> _Span:
        if item_id != self._item.item_id:
            self._item = _Item(item_id)
        span = _Span(self._item, self._item.size, self._sent, self._sent)
        self._spans.append(span)
        return span

    def _mark(self, position: int) -> str:
        self._number += 1
        self._marked, self._due = position, position + self._mark_size
        name = f"{self._epoch}:{self._number}"
        self._marks.append(_Mark(name, position))
        return name

    def _heard(self, now: float) -> int:
        """Bytes, of all that was sent."""
        left = max(self._ends_at - now, 0.0) * self._bytes_per_second
        latest = self._marks[0].position if self._marks else self._sent
        return max(min(self._sent - round(left), latest), self._passed)

    def _heard_until(self, item: _Item, size: int) -> Truncate:
        return Truncate(item.item_id, round(self._format.duration_ms(size)))
