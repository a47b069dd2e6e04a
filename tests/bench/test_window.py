"""A window's figures from what both ends noted."""

from __future__ import annotations

from typing import Any

import pytest

from bridge.bench.figures import Histogram
from bridge.bench.process import Usage
from bridge.bench.window import Counted, read_window

USED = Usage(cpu=0.2, user=0.15, system=0.05, waited=0.5, rss=50_000_000)
COUNTED = Counted(0, 2_000_000, USED, 0.3, Histogram({0.001: 10.0, 0.01: 10.0}), 0.1)


def load(**calls: dict[str, Any]) -> dict[str, Any]:
    return {"calls": calls, "lost": 0, "webhook_ms": [4.0, 6.0, 5.0], "late_ms": [0.1] * 10}


CALLER = {
    "sent_at": [20_000 * number for number in range(100)],
    "heard_at": [352_000 + 100_000 * number for number in range(17)],
    "heard": [800 * (number + 1) for number in range(17)],
}
SESSION = {
    "frame": 160,
    "heard_at": [1_000 + 20_000 * number for number in range(100)],
    "heard": [160 * (number + 1) for number in range(100)],
    "said_at": [350_000 + 100_000 * number for number in range(17)],
}


def test_the_figures_of_a_call() -> None:
    """Cost, delays either way, memory, and that nothing was lost."""
    window = read_window(1, COUNTED, load(a=CALLER), {"sessions": {"a": SESSION}, "late_ms": []})

    assert window.cpu_ms == pytest.approx(100)
    assert window.core == pytest.approx(0.1)
    assert window.waited == pytest.approx(0.25)
    assert window.stolen == pytest.approx(0.05)
    assert window.user_share == pytest.approx(0.75)
    assert set(window.inward) == {1.0}
    assert set(window.outward) == {2.0}
    assert window.first_audio == 52.0
    assert window.webhook == 5.0
    assert window.lag_p99 == 1.0
    assert (window.carried, window.lost_calls, window.underruns) == (1.0, 0, 0)


def test_a_call_that_never_reached_the_provider_is_lost() -> None:
    """However well it was answered."""
    reported = load(a=CALLER, b=CALLER)

    window = read_window(2, COUNTED, reported, {"sessions": {"a": SESSION}, "late_ms": []})

    assert window.lost_calls == 1
    assert window.carried == pytest.approx(0.5)


def test_audio_that_does_not_arrive_was_not_carried() -> None:
    """The second half of the caller's is missing."""
    deaf = {**SESSION, "heard_at": SESSION["heard_at"][:42], "heard": SESSION["heard"][:42]}  # type: ignore[index]

    window = read_window(1, COUNTED, load(a=CALLER), {"sessions": {"a": deaf}, "late_ms": []})

    assert window.carried == pytest.approx((42 + 14) / (85 + 14))


def test_a_model_that_is_silent_delays_nothing() -> None:
    """There is no figure where there is nothing to measure."""
    silent = {**SESSION, "said_at": []}
    deaf = {**CALLER, "heard_at": [], "heard": []}

    window = read_window(1, COUNTED, load(a=deaf), {"sessions": {"a": silent}, "late_ms": []})

    assert window.outward == []
    assert window.carried == 1.0
