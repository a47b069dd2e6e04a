"""
What the caller has heard.

Rule: only the carrier knows, and it tells by marks. Each piece of at most MARK_MS of the
agent's voice has a mark of its own at its end; between two marks the clock says how far
the caller is, and never beyond the next one. Marks that come back because the queue was
cleared belong to an epoch that is over, and count for nothing.
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
MARK_MS = 100  # of audio between two marks, at most


@dataclass(slots=True, eq=False)
class _Item:
    """An item of the model's; two of them may bear the same id in two sessions."""

    item_id: str
    size: int = 0


class _Piece(NamedTuple):
    mark: str
    item: _Item
    begin: int
    end: int
    """Bytes of the item before this piece, and with it."""


class Playback:
    """The agent's voice on its way to the caller's ear, in the leg's format."""

    def __init__(self, format: AudioFormat) -> None:
        self._format = format
        self._piece_size = format.size(MARK_MS)
        self._bytes_per_second = format.bytes_per_second
        self._pieces: deque[_Piece] = deque()
        self._queued = 0
        self._item = _Item("")
        self._epoch = 0
        self._marks = 0
        self._since = float("-inf")

    @property
    def speaking(self) -> bool:
        """Whether the caller still has to hear something."""
        return bool(self._pieces)

    @property
    def ends_at(self) -> float:
        """When the caller should have heard everything; in the past where marks are late."""
        return self._since + self._queued / self._bytes_per_second

    @property
    def busy_until(self) -> float:
        """How long the carrier's marks are waited for; in the past when there are none."""
        return self.ends_at + LATE_MARK if self._pieces else float("-inf")

    def play(self, item_id: str, audio: bytes, now: float) -> list[leg.Play]:
        """Send a part of an item, with the marks that tell when it was heard."""
        if not self._pieces:
            self._since = now
        if item_id != self._item.item_id:
            self._item = _Item(item_id)
        size = self._piece_size
        pieces = [audio[start : start + size] for start in range(0, len(audio), size)]
        return [leg.Play(piece, self._remember(len(piece))) for piece in pieces]

    def played(self, mark: str, now: float) -> bool:
        """The carrier is past `mark`; False for a mark that counts for nothing."""
        if not any(piece.mark == mark for piece in self._pieces):  # as a rule it is the first
            return False
        while self._take().mark != mark:
            pass
        self._since = now
        return True

    def clear(self, now: float) -> list[Truncate]:
        """Forget what is queued; tells of each item that was cut how much was heard."""
        cuts = self.unheard(now)
        self._pieces.clear()
        self._queued = 0
        self._epoch += 1
        return cuts

    def unheard(self, now: float) -> list[Truncate]:
        """Of each item that is not played to its end yet, how much was heard."""
        cuts: dict[_Item, Truncate] = {}
        heard = self._heard_of(self._pieces[0], now) if self._pieces else 0
        for piece in self._pieces:
            if piece.item not in cuts:
                cuts[piece.item] = self._heard_until(piece.item, piece.begin + heard)
            heard = 0
        return list(cuts.values())

    def so_far(self) -> list[Truncate]:
        """Of the item that came last everything that is here was heard."""
        return [self._heard_until(self._item, self._item.size)] if self._item.size else []

    def begin_session(self) -> None:
        """Items that come from now on are new, though they may bear old ids."""
        self._item = _Item("")

    def _remember(self, size: int) -> str:
        item = self._item
        begin, item.size = item.size, item.size + size
        self._marks += 1
        mark = f"{self._epoch}:{self._marks}"
        self._pieces.append(_Piece(mark, item, begin, item.size))
        self._queued += size
        return mark

    def _take(self) -> _Piece:
        piece = self._pieces.popleft()
        self._queued -= piece.end - piece.begin
        return piece

    def _heard_until(self, item: _Item, size: int) -> Truncate:
        return Truncate(item.item_id, round(self._format.duration_ms(size)))

    def _heard_of(self, piece: _Piece, now: float) -> int:
        elapsed = self._format.size(max(now - self._since, 0.0) * 1000)
        return min(elapsed, piece.end - piece.begin)
