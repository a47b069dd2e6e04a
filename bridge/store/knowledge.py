"""
Which of two records of a call is newer, and what a holder knows that was not told of the other.

Rule: a record bears a stamp, the fence of the holder that wrote it and the number of its write,
and of two the one with the higher stamp is newer. It holds all of the older one, unless its
holder began without that; then the older one is put in front. So nothing is lost, and nothing is
told twice.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace

from bridge.ports.conversation import HistoryItem
from bridge.ports.store import CallRecord
from bridge.store.entry import UNSTAMPED, Entry
from bridge.store.redis.mapping import joined

__all__ = ["UNSTAMPED", "Knowledge", "merged", "unstamped"]


def merged(stored: CallRecord | None, entry: Entry | None) -> CallRecord | None:
    """What is known of a call that the store and this machine remember each in its way."""
    local = None if entry is None else entry.record
    if entry is None or local is None:
        return stored
    if stored is None:
        return local
    if stored.written >= local.written:
        return stored
    return local if entry.whole else joined(stored, local)


def unstamped(record: CallRecord | None) -> CallRecord | None:
    """As those outside the stores know it."""
    return None if record is None else replace(record, written=UNSTAMPED)


@dataclass(slots=True)
class Knowledge:
    """What the holder of a claim was told of the call, and what it has written since."""

    told: CallRecord | None = field(default=None, repr=False)
    whole: bool = True
    """Whether `told` is all that was known of the call."""
    asked: bool = True
    """Whether the store was asked. If not, it may know of something that nobody was told."""
    legs: tuple[float, ...] = ()
    """When the call was claimed lately, Unix time."""
    kept: Entry | None = None
    """As the journal was told last."""
    heard_at: float = float("-inf")
    """When the store took something of the holder's, in seconds of a monotonic clock."""
    _latest: CallRecord | None = field(default=None, repr=False)
    _given: CallRecord | None = field(default=None, repr=False)
    """What was stamped last, as its holder gave it."""
    _unstamped: CallRecord | None = field(default=None, repr=False)
    _missed: CallRecord | None = field(default=None, repr=False)
    _number: int = 0

    def learn(self, stored: CallRecord | None) -> None:
        """The store has been asked, and this is what it knew before the claim."""
        told = UNSTAMPED if self.told is None else self.told.written
        if stored is not None and not (self.whole and stored.written <= told):
            self._missed = stored
            if stored.written <= told:
                self.told = None  # that comes behind what is stored, and is no part of it
        self.asked = self.whole = True
        self._given = None

    def stamp(self, record: CallRecord, fence: int) -> CallRecord:
        """The holder's record as it is to be written, with what the holder does not know."""
        if self._latest is not None and record is self._given:
            return self._latest
        self._given = record
        if self._missed is not None:
            record = joined(self._missed, replace(record, history=self._own_part(record)))
        if self._latest is None or record != self._unstamped:
            self._number += 1
            self._unstamped, self._latest = record, replace(record, written=(fence, self._number))
        return self._latest

    def _own_part(self, record: CallRecord) -> tuple[HistoryItem, ...]:
        """What was said since the holder was told."""
        before = () if self.told is None else self.told.history
        same = 0
        for old, new in zip(before, record.history, strict=False):
            if old != new:
                break
            same += 1
        return record.history[same:]
