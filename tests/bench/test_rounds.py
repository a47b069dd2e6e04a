"""What a level says of its windows. A whole run is in tests/cli/test_bench.py."""

from __future__ import annotations

from tests.bench.levels import BRIDGE, level


def test_a_full_processor_is_noticed() -> None:
    """By what the windows took, for as many processors as there are workers."""
    assert level(BRIDGE, 100, [9.5, 9.6, 2.0]).saturated
    assert not level(BRIDGE, 100, [5.0, 9.9, 5.0]).saturated


def test_memory_of_a_call() -> None:
    """Beyond the first one's."""
    assert level(BRIDGE, 100, [5.0]).bytes_a_call == 102_400
