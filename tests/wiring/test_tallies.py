"""Counts of what is still going on."""

from __future__ import annotations

from bridge.wiring.tallies import Growth, Tallies


def test_growth_is_told_once() -> None:
    total = 3.0
    growth = Growth(lambda: total)

    assert growth.take() == 3
    total = 5
    assert growth.take() == 2
    assert growth.take() == 0


def test_counts_are_brought_up_to_date_when_asked_and_at_the_end() -> None:
    """And nobody is asked who has gone."""
    counted: list[str] = []
    tallies = Tallies()
    with tallies.keep(lambda: counted.append("a")):
        with tallies.keep(lambda: counted.append("b")):
            tallies.update()
        tallies.update()
    tallies.update()

    assert counted == ["a", "b", "b", "a", "a"]
    assert len(tallies) == 0
