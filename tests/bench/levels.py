"""Levels as a benchmark finds them, made up."""

from __future__ import annotations

import math
from collections.abc import Sequence

from bridge.bench.rounds import Level
from bridge.bench.subjects import LEAN, PLAIN, Subject, bridge_subject
from bridge.bench.window import Window

__all__ = ["BRIDGE", "level", "levels"]

BRIDGE = bridge_subject("bridge, G.711", "g711")


def window(calls: int, cpu_ms: float, webhook: float) -> Window:
    return Window(
        calls=calls,
        cpu_ms=cpu_ms,
        user_share=0.75,
        core=cpu_ms * calls / 1000,
        waited=0.1,
        stolen=0.02,
        harness_core=0.25,
        rss=50_000_000 + calls * 102_400,
        carried=1.0,
        lost_calls=0,
        underruns=2,
        lag_p99=5.0,
        first_audio=12.0,
        webhook=webhook,
        late_p99=0.5,
        inward=[0.2, 0.3, 0.4],
        outward=[],
    )


def level(subject: Subject, calls: int, costs: Sequence[float]) -> Level:
    webhook = math.nan if subject.module else 3.0
    windows = [window(calls, cost, webhook) for cost in costs]
    return Level(subject, calls, windows, 50_102_400, 0.5)


def levels() -> list[Level]:
    """Two numbers of calls, three subjects; at the higher one the plain relay is full."""
    return [
        level(PLAIN, 10, [10.0, 12.0, 11.0]),
        level(LEAN, 10, [4.0, 4.0, 4.0]),
        level(BRIDGE, 10, [5.0, 7.0, 6.0]),
        level(PLAIN, 100, [9.9, 9.8, 9.9]),
        level(BRIDGE, 100, [5.0, 5.0, 5.0]),
    ]
