"""What a level says of its windows. A whole run is in tests/cli/test_bench.py."""

from __future__ import annotations

from dataclasses import replace

import pytest

from bridge.bench.rounds import TRIES, undisturbed
from bridge.bench.window import Window
from tests.bench.levels import BRIDGE, level


def test_a_full_processor_is_noticed() -> None:
    """By what the windows took, for as many processors as there are workers."""
    assert level(BRIDGE, 100, [9.5, 9.6, 2.0]).saturated
    assert not level(BRIDGE, 100, [5.0, 9.9, 5.0]).saturated


def test_memory_of_a_call() -> None:
    """Beyond the first one's."""
    assert level(BRIDGE, 100, [5.0]).bytes_a_call == 102_400


@pytest.mark.parametrize(
    ("stolen", "taken", "tries"),
    [
        ([0.01], 0.01, 1),
        ([0.30, 0.0], 0.0, 2),
        ([0.30, 0.10, 0.20], 0.10, TRIES),
    ],
)
async def test_a_window_of_which_the_host_took_much_is_measured_again(
    stolen: list[float], taken: float, tries: int
) -> None:
    """A few times; where it always takes much, there is the one of which it took least."""
    [window] = level(BRIDGE, 100, [5.0]).windows
    measured: list[Window] = []

    async def measure() -> Window:
        measured.append(replace(window, stolen=stolen[len(measured)]))
        return measured[-1]

    best = await undisturbed(measure)

    assert (best.stolen, len(measured)) == (taken, tries)
