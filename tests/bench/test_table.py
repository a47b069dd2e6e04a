"""What people and programs are shown."""

from __future__ import annotations

import json

import pytest

from bridge.bench.table import as_json, machine, ratios, table
from tests.bench.levels import levels


def test_ratios_are_made_within_rounds() -> None:
    """Not of medians: what slowed a round down slowed both."""
    found = {(name, other): spread for name, other, _, spread in ratios(levels()[:3])}

    beside_plain = found["bridge, G.711", "plain relay"]
    assert beside_plain.median == pytest.approx(6 / 11)
    assert beside_plain.least == pytest.approx(5 / 10)
    assert beside_plain.most == pytest.approx(7 / 12)


def test_who_cannot_keep_up_is_compared_with_nothing() -> None:
    """Its cost is what was left, not what it takes."""
    assert list(ratios(levels()[3:])) == []


def test_the_table_tells_all_of_it() -> None:
    """A block for each number of calls, and whether the targets were met."""
    shown = table(levels())

    assert "10 calls" in shown
    assert "6.00 (5.00-7.00)" in shown
    assert "0.30/0.40/0.40" in shown
    assert "bridge, G.711 / plain relay: 0.55 (0.50-0.58), target 0.6: met" in shown
    assert "plain relay: could not keep up" in shown
    assert "webhook answered in 3.0 ms" in shown
    assert all(len(line) < 160 for line in shown.splitlines())


def test_json_is_json() -> None:
    """What is not a number is null."""
    words = json.loads(as_json(levels()))

    first = words["levels"][0]
    assert words["machine"] == machine()
    assert first["cpu_ms_per_call_second"] == {"median": 11.0, "least": 10.0, "most": 12.0}
    assert first["webhook_ms"]["median"] is None
    assert first["delay_in_ms"] == {"p50": 0.3, "p95": 0.4, "p99": 0.4}
    assert first["bytes_per_call"] == pytest.approx(102_400)
    assert [each["beside"] for each in words["ratios"]] == ["plain relay", "leanest relay"]
