"""
A step of ours beside a plain one, and how much dearer ours may be.

Rule: only the ratio of a pair means anything, both measured in the same run, and of each
the fastest round, because a busy machine makes steps slower and never faster.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from pytest_benchmark.fixture import BenchmarkFixture

__all__ = ["Step", "both", "race"]

Step = Callable[[Any], object]

both = pytest.mark.parametrize("make", ["ours", "plain"])
"""Closest to the test, so that the two run one after the other."""

_fastest: dict[tuple[str, str], float] = {}


def race(
    benchmark: BenchmarkFixture,
    group: str,
    make: str,
    step: Step,
    taken: object,
    *,
    at_most: float,
) -> None:
    """Measure a step on what it takes; ours may cost `at_most` so many times the plain one."""
    benchmark.group = group
    assert benchmark(step, taken)
    assert benchmark.stats is not None
    _fastest[group, make] = benchmark.stats.stats.min
    ours, plain = _fastest.get((group, "ours")), _fastest.get((group, "plain"))
    if ours is not None and plain is not None:
        benchmark.extra_info["ours / plain"] = ours / plain

        assert ours / plain <= at_most, f"{group}: {ours / plain:.2f} times the plain step"
