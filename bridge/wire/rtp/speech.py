"""
Audio that waits to be sent, and the marks between it.

Rule: a mark is reached when RTP's clock is past the last sample before it.
"""

from __future__ import annotations

from collections import deque

from bridge.wire.rtp.payloads import RATE

__all__ = ["MAX_QUEUED", "Speech"]

MAX_QUEUED = 10 * 60 * RATE  # samples; ten minutes

_A_TOUCH = 1e-6  # seconds: sums of floats


class Speech:
    """One byte a sample. `playout_ms`: how much later the other end hears what we send."""

    __slots__ = (
        "_chunks",
        "_leaving",
        "_left_at",
        "_left_size",
        "_marks",
        "_offset",
        "_playout",
        "dropped",
        "queued",
        "taken",
    )

    def __init__(self, playout_ms: float = 0.0) -> None:
        self._playout = playout_ms / 1000
        self._chunks: deque[bytes] = deque()
        self._offset = 0  # samples of the first chunk that are gone
        self._marks: deque[tuple[int, str]] = deque()  # by the samples before them
        self._leaving: deque[tuple[float, str]] = deque()  # by when they are reached
        self._left_at = float("-inf")
        self._left_size = 0
        self.queued = 0
        """Samples since the start, but for those that were cleared."""
        self.taken = 0
        """Of these, samples that are in packets."""
        self.dropped = 0
        """Samples that found no room."""

    def __bool__(self) -> bool:
        return self.taken < self.queued

    def put(self, audio: bytes) -> None:
        """Queue audio of any length. What has no room is dropped."""
        room = MAX_QUEUED - (self.queued - self.taken)
        if len(audio) > room:
            self.dropped += len(audio) - room
            audio = audio[:room]
        if audio:
            self._chunks.append(audio)
            self.queued += len(audio)

    def mark(self, name: str) -> None:
        self._marks.append((self.queued, name))

    def clear(self) -> list[str]:
        """Forget what is queued; the marks that were not reached, in order."""
        names = [name for _, name in (*self._leaving, *self._marks)]
        self._chunks.clear()
        self._leaving.clear()
        self._marks.clear()
        self._offset = 0
        self.queued = self.taken
        return names

    def take(self, size: int, at: float) -> bytes:
        """What is sent at `at`: `size` samples, or as many as there are."""
        audio = self._cut(size)
        before = self.taken
        self.taken = before + len(audio)
        if audio:
            self._left_at, self._left_size = at, len(audio)
        self.pass_marks(at, before)
        return audio

    def pass_marks(self, at: float, before: int | None = None) -> None:
        """Of the marks with nothing more before them, note when they are reached."""
        start = self.taken if before is None else before
        while self._marks and self._marks[0][0] <= self.taken:
            position, name = self._marks.popleft()
            reached = at + (position - start) / RATE + self._playout
            self._leaving.append((reached, name))

    def reached(self, now: float) -> list[str]:
        """The marks that RTP's clock has passed since this was last asked."""
        if not self._leaving:
            return []
        names = []
        while self._leaving and self._leaving[0][0] <= now + _A_TOUCH:
            names.append(self._leaving.popleft()[1])
        return names

    def left(self, now: float) -> int:
        """How many samples RTP's clock has passed since the start."""
        if not self._left_size:
            return 0
        rest = self._left_size - int((now - self._left_at + _A_TOUCH) * RATE)
        return self.taken - max(rest, 0)

    def _cut(self, size: int) -> bytes:
        audio = b""
        while self._chunks and len(audio) < size:
            chunk, start = self._chunks[0], self._offset
            end = start + size - len(audio)
            piece = chunk[start:end]
            if end < len(chunk):
                self._offset = end
            else:
                self._chunks.popleft()
                self._offset = 0
            audio = audio + piece if audio else piece
        return audio
