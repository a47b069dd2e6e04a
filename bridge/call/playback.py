"""
What the caller has heard.

Rule: only the carrier knows, and it tells by marks. Each piece of at most MARK_MS of the
agent's voice is followed by a mark of its own; between two marks the clock says how far
the caller is, and never beyond the next one. Marks that come back because the queue was
cleared belong to an epoch that is over, and count for nothing.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass

from bridge.audio.formats import AudioFormat
from bridge.ports import leg

__all__ = ["Cut", "Playback"]

MARK_MS = 100  # of audio between two marks, at most


@dataclass(frozen=True, slots=True)
class Cut:
    """Of this item of the model's the caller heard only so much."""

    item_id: str
    heard_ms: int


@dataclass(frozen=True, slots=True)
class _Piece:
    mark: str
    item_id: str
    begin: int
    end: int
    """Bytes of the item before this piece, and with it."""


class Playback:
    """The agent's voice on its way to the caller's ear, in the leg's format."""

    def __init__(self, format: AudioFormat) -> None:
        self._format = format
        self._piece_size = format.size(MARK_MS)
        self._pieces: deque[_Piece] = deque()
        self._item = ""
        self._item_size = 0
        self._epoch = 0
        self._marks = 0
        self._since = 0.0

    @property
    def speaking(self) -> bool:
        """Whether the caller still has to hear something."""
        return bool(self._pieces)

    @property
    def left_ms(self) -> float:
        """About how long the caller will go on hearing what is queued."""
        return sum(self._format.duration_ms(p.end - p.begin) for p in self._pieces)

    def play(self, item_id: str, audio: bytes, now: float) -> list[leg.LegCommand]:
        """Send a part of an item, with the marks that tell when it was heard."""
        if not self._pieces:
            self._since = now
        commands: list[leg.LegCommand] = []
        for start in range(0, len(audio), self._piece_size):
            piece = audio if len(audio) <= self._piece_size else self._cut(audio, start)
            mark = self._remember(item_id, len(piece))
            commands += (leg.Play(piece), leg.Mark(mark))
        return commands

    def played(self, mark: str, now: float) -> bool:
        """The carrier is past `mark`; False for a mark that counts for nothing."""
        if not any(piece.mark == mark for piece in self._pieces):  # as a rule it is the first
            return False
        while self._pieces.popleft().mark != mark:
            pass
        self._since = now
        return True

    def clear(self, now: float) -> list[Cut]:
        """Forget what is queued; tells of each item that was cut how much was heard."""
        cuts: dict[str, Cut] = {}
        for number, piece in enumerate(self._pieces):
            heard = piece.begin + (self._heard_of(piece, now) if number == 0 else 0)
            if piece.item_id not in cuts:
                heard_ms = round(self._format.duration_ms(heard))
                cuts[piece.item_id] = Cut(piece.item_id, heard_ms)
        self._pieces.clear()
        self._epoch += 1
        return list(cuts.values())

    def _cut(self, audio: bytes, start: int) -> bytes:
        return audio[start : start + self._piece_size]

    def _remember(self, item_id: str, size: int) -> str:
        if item_id != self._item:
            self._item, self._item_size = item_id, 0
        begin, self._item_size = self._item_size, self._item_size + size
        self._marks += 1
        mark = f"{self._epoch}:{self._marks}"
        self._pieces.append(_Piece(mark, item_id, begin, self._item_size))
        return mark

    def _heard_of(self, piece: _Piece, now: float) -> int:
        elapsed = self._format.size(max(now - self._since, 0.0) * 1000)
        return min(elapsed, piece.end - piece.begin)
