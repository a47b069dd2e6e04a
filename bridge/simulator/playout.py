"""
The carrier's outbound queue: what the bridge sent, played to the caller in real time.

Rule: pure. `now` is an argument, in seconds, and never goes back.

Audio that comes in is played behind what is queued already, 8000 bytes of mu-law a
second; a mark is reached when everything before it has been played; a clear drops the
queue and gives back every pending mark at once (Twilio Media Streams, WebSocket messages).
"""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass, field

__all__ = ["Gap", "Playout", "Span", "heard_between"]

BYTES_PER_SECOND = 8_000
SILENCE = b"\xff"
MAX_QUEUED_SECONDS = 600.0  # beyond ten minutes the carrier throws audio away
SHORTEST_GAP_SECONDS = 0.02  # one frame: less is jitter that the carrier's clock hides
LONGEST_GAP_SECONDS = 1.0  # a longer silence is a pause in the conversation
ROUNDING = 0.001  # of a sample: sums of floats may fall short of a whole one


@dataclass(slots=True)
class Span:
    """Mu-law audio that was heard without a break, from `at` on."""

    at: float
    audio: bytearray = field(default_factory=bytearray, repr=False)

    @property
    def end(self) -> float:
        return self.at + len(self.audio) / BYTES_PER_SECOND


@dataclass(frozen=True, slots=True)
class Gap:
    """The queue ran dry at `at`, in the middle of a talk spurt, for so many seconds."""

    at: float
    seconds: float


@dataclass(frozen=True, slots=True)
class _Mark:
    name: str


class Playout:
    """
    One stream's queue of audio and marks.

    `heard` and `gaps` grow while time goes on; between its spans the caller hears silence.
    """

    def __init__(self, *, max_seconds: float = MAX_QUEUED_SECONDS) -> None:
        self.heard: list[Span] = []
        self.gaps: list[Gap] = []
        self._max_size = int(max_seconds * BYTES_PER_SECOND)
        self._queue: deque[memoryview | _Mark] = deque()
        self._reached: list[str] = []
        self._queued = 0
        self._in_spurt = False

    @property
    def queued_seconds(self) -> float:
        """How much audio has not been played, as of the last call."""
        return self._queued / BYTES_PER_SECOND

    def play(self, audio: bytes, now: float) -> int:
        """Queue mu-law audio and tell how many bytes were thrown away for want of room."""
        self._move(now)
        room = self._max_size - self._queued
        taken = memoryview(audio)[:room]
        if not taken:
            return len(audio)
        if not self._queued:
            self._begin(now)
        self._queue.append(taken)
        self._queued += len(taken)
        return len(audio) - len(taken)

    def mark(self, name: str, now: float) -> None:
        """Put a mark behind what is queued; `advance` tells when it is reached."""
        self._move(now)
        self._queue.append(_Mark(name))

    def clear(self, now: float) -> tuple[str, ...]:
        """Drop what is queued. All marks that were not told yet, in their order."""
        self._move(now)
        pending = [item.name for item in self._queue if isinstance(item, _Mark)]
        self._queue.clear()
        self._queued = 0
        self._in_spurt = False
        return (*self._take_reached(), *pending)

    def advance(self, now: float) -> tuple[str, ...]:
        """Play on until `now`. The marks that were reached since the last time, in order."""
        self._move(now)
        return self._take_reached()

    def end_spurt(self) -> None:
        """The caller takes a turn: a silence around it is no gap in the agent's speech."""
        self._in_spurt = False

    def between(self, start: float, end: float) -> bytes:
        """What was heard from `start` to `end`, with silence where there was nothing."""
        return heard_between(self.heard, start, end)

    def _take_reached(self) -> tuple[str, ...]:
        reached = tuple(self._reached)
        self._reached.clear()
        return reached

    def _begin(self, now: float) -> None:
        last = self.heard[-1].end if self.heard else None
        if last is not None and self._in_spurt:
            silence = now - last
            if SHORTEST_GAP_SECONDS <= silence <= LONGEST_GAP_SECONDS:
                self.gaps.append(Gap(last, silence))
        if last is None or now - last > 1 / BYTES_PER_SECOND:
            self.heard.append(Span(now))
        self._in_spurt = True

    def _move(self, now: float) -> None:
        while self._queue:
            head = self._queue[0]
            if isinstance(head, _Mark):
                self._reached.append(head.name)
                self._queue.popleft()
            elif not self._play_some(head, now):
                return

    def _play_some(self, head: memoryview, now: float) -> bool:
        """Play of the queue's head what is due; whether all of it was played."""
        span = self.heard[-1]
        due = int((now - span.at) * BYTES_PER_SECOND + ROUNDING) - len(span.audio)
        played = head[: max(0, due)]
        span.audio += played
        self._queued -= len(played)
        if len(played) == len(head):
            self._queue.popleft()
            return True
        self._queue[0] = head[len(played) :]
        return False


def heard_between(spans: Sequence[Span], start: float, end: float) -> bytes:
    """The mu-law audio of `spans` from `start` to `end`, filled up with silence."""
    size = round((end - start) * BYTES_PER_SECOND)
    audio = bytearray(SILENCE * size)
    for span in reversed(spans):
        if span.end <= start:
            break
        offset = round((span.at - start) * BYTES_PER_SECOND)
        piece = span.audio[max(0, -offset) : max(0, size - offset)]
        audio[max(0, offset) : max(0, offset) + len(piece)] = piece
    return bytes(audio)
