"""
Counts of what is still going on.

Rule: whoever carries frames counts them in plain attributes; what has come since the last
time is added to the metrics when somebody looks, and when it is over.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from bridge.telemetry.flow import Flow

__all__ = ["Growth", "Tallies", "carried"]


class Growth:
    """How much a number that only rises has risen since it was asked for last."""

    def __init__(self, read: Callable[[], float]) -> None:
        self._read = read
        self._seen = 0.0

    def take(self) -> float:
        now = self._read()
        grown, self._seen = now - self._seen, now
        return grown


class Tallies:
    """The counts that somebody keeps at this moment."""

    def __init__(self) -> None:
        self._kept: list[Callable[[], None]] = []

    def __len__(self) -> int:
        return len(self._kept)

    def update(self) -> None:
        """Bring the metrics up to date."""
        for count in self._kept:
            count()

    @contextmanager
    def keep(self, count: Callable[[], None]) -> Iterator[None]:
        """`count` adds to the metrics what is new: whenever it is asked, and at the end."""
        self._kept.append(count)
        try:
            yield
        finally:
            self._kept.remove(count)
            count()


def carried(
    leg: Flow,
    model: Flow,
    *,
    frames: Callable[[], float],
    sent: Callable[[], float],
    dropped: Callable[[], float],
) -> Callable[[], None]:
    """
    Counts what a call carries: `frames` of the caller's, seconds `sent` to the caller, and
    seconds `dropped` before the model.
    """
    frames_in, audio_out, dropped_out = Growth(frames), Growth(sent), Growth(dropped)

    def count() -> None:
        leg.frames_in += int(frames_in.take())
        leg.audio_out += audio_out.take()
        model.dropped_out += dropped_out.take()

    return count
