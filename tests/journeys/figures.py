"""Figures that a journey measures: kept with its result, and shown with `-s`."""

from __future__ import annotations

import statistics
from collections.abc import Callable, Sequence

__all__ = ["Recorder", "note"]

Recorder = Callable[[str, object], None]


def note(record: Recorder, what: str, values: Sequence[float]) -> None:
    """Median and 95th percentile; `what` names the unit."""
    ordered = sorted(values)
    worst = ordered[int(len(ordered) * 0.95)]
    figures = f"median {statistics.median(ordered):.2f}, p95 {worst:.2f}, n {len(ordered)}"
    record(what, figures)
    print(f"{what}: {figures}")
