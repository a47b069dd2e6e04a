"""From times to figures."""

from __future__ import annotations

import math

from bridge.bench.figures import Spread, delays_ms, percentile, read_histogram, underruns

ALWAYS = (0, 10**9)
PAGE = """\
# TYPE lag histogram
lag_bucket{le="0.001"} 5.0
lag_bucket{le="0.01"} 9.0
lag_bucket{le="+Inf"} 10.0
lag_sum 0.2
"""


def test_a_spread() -> None:
    """The middle, and both ends; without values there is nothing to tell."""
    assert Spread.of([3.0, 1.0, 2.0]) == Spread(2.0, 1.0, 3.0)
    assert math.isnan(Spread.of([]).median)


def test_percentiles() -> None:
    """By rank."""
    values = [float(value) for value in range(100)]

    assert percentile(values, 0.5) == 50
    assert percentile(values, 0.99) == 99
    assert percentile([7.0], 0.99) == 7
    assert math.isnan(percentile([], 0.5))


def test_a_piece_has_arrived_with_its_last_bytes() -> None:
    """Two messages of the sender's may come as one, or one as two."""
    sent = [0, 20_000, 40_000]
    arrived_at, arrived = [1_000, 25_000, 42_000, 43_000], [160, 240, 400, 480]

    assert delays_ms(sent, arrived_at, arrived, 160, ALWAYS) == [1.0, 22.0, 3.0]


def test_a_resampler_may_hold_a_few_samples_back() -> None:
    """A piece is there but for a twentieth of it."""
    assert delays_ms([0], [5_000], [153], 160, ALWAYS) == [5.0]
    assert delays_ms([0], [5_000], [140], 160, ALWAYS) == []


def test_only_what_was_sent_in_the_window_counts() -> None:
    """And only what arrived at all."""
    sent, arrived_at, arrived = [0, 100, 200, 300], [10, 110, 220], [160, 320, 480]

    assert delays_ms(sent, arrived_at, arrived, 160, (100, 400)) == [0.01, 0.02]


def test_a_listener_runs_dry() -> None:
    """When a piece comes later than what was there lasts, and what was held back."""
    steady = [0, 100_000, 200_000, 300_000]
    late = [0, 100_000, 290_000, 390_000]
    sizes = [800, 1600, 2400, 3200]

    assert underruns(steady, sizes, 8_000, 60, ALWAYS) == 0
    assert underruns(late, sizes, 8_000, 60, ALWAYS) == 1
    assert underruns(late, sizes, 8_000, 100, ALWAYS) == 0
    assert underruns(late, sizes, 8_000, 60, (0, 200_000)) == 0


def test_a_histogram_of_prometheus() -> None:
    """The bound below which a share of the values is."""
    read = read_histogram(PAGE, "lag")

    assert read.quantile(0.5) == 0.001
    assert read.quantile(0.9) == 0.01
    assert math.isinf(read.quantile(0.99))
    assert math.isnan(read.since(read).quantile(0.5))
    assert math.isnan(read_histogram("", "lag").quantile(0.5))
