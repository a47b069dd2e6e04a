"""
From what was noted to figures: delays of frames, underruns, medians, ratios.

Rule: pure. Times are microseconds of one monotonic clock, as both ends noted them.
"""

from __future__ import annotations

import math
import statistics
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

__all__ = ["Histogram", "Spread", "delays_ms", "percentile", "read_histogram", "underruns"]

SLACK = 20  # a piece has arrived but for a twentieth: a resampler holds samples back


@dataclass(frozen=True, slots=True)
class Spread:
    """The median of several windows, and the least and the most of them."""

    median: float
    least: float
    most: float

    @classmethod
    def of(cls, values: Sequence[float]) -> Spread:
        """Not a number where there are none."""
        if not values:
            return cls(math.nan, math.nan, math.nan)
        return cls(statistics.median(values), min(values), max(values))


def percentile(values: Sequence[float], share: float) -> float:
    """The nearest rank, `share` from 0 to 1; not a number where there are no values."""
    if not values:
        return math.nan
    ordered = sorted(values)
    return ordered[min(int(len(ordered) * share), len(ordered) - 1)]


def delays_ms(
    sent_at: Sequence[int],
    arrived_at: Sequence[int],
    arrived: Sequence[int],
    piece: int,
    window: tuple[int, int],
) -> list[float]:
    """
    How long each piece was under way that was sent in the window, in milliseconds.

    The pieces have `piece` bytes where they arrive, and `arrived` says how many bytes of
    them were there at `arrived_at`: a piece is there with its last bytes, however it was cut.
    """
    delays = []
    at = 0
    for number, sent in enumerate(sent_at):
        wanted = (number + 1) * piece - piece // SLACK
        while at < len(arrived) and arrived[at] < wanted:
            at += 1
        if at == len(arrived):
            break
        if window[0] <= sent < window[1]:
            delays.append((arrived_at[at] - sent) / 1000)
    return delays


def underruns(
    arrived_at: Sequence[int],
    arrived: Sequence[int],
    rate: int,
    buffer_ms: float,
    window: tuple[int, int],
) -> int:
    """
    How often a listener who plays `rate` bytes a second ran dry within the window.

    Playing starts `buffer_ms` after the first bytes, and again after each time.
    """
    dry = 0
    ends, before = -math.inf, 0
    for at, size in zip(arrived_at, arrived, strict=True):
        if at > ends:
            dry += before > 0 and window[0] <= at < window[1]
            ends = at + buffer_ms * 1000
        ends += (size - before) * 1e6 / rate
        before = size
    return dry


@dataclass(frozen=True, slots=True)
class Histogram:
    """A histogram of Prometheus': how many values were at most so much."""

    buckets: Mapping[float, float]

    def since(self, before: Histogram) -> Histogram:
        """What has been counted since."""
        counts = {at: count - before.buckets.get(at, 0) for at, count in self.buckets.items()}
        return Histogram(counts)

    def quantile(self, share: float) -> float:
        """The bound of the bucket with this share of the values; not a number without any."""
        total = max(self.buckets.values(), default=0)
        if not total:
            return math.nan
        return min(at for at, count in self.buckets.items() if count >= total * share)


def read_histogram(page: str, name: str) -> Histogram:
    """A histogram without labels, from a page in Prometheus' text format."""
    start = f'{name}_bucket{{le="'
    rows = [line[len(start) :] for line in page.splitlines() if line.startswith(start)]
    pairs = [row.split('"} ') for row in rows]
    return Histogram({float(at): float(count) for at, count in pairs})
