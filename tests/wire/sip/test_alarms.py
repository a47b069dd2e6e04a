"""Which of many machines is woken."""

from __future__ import annotations

from bridge.wire.sip.alarms import Alarms


def test_the_earliest_comes_first() -> None:
    alarms: Alarms[str] = Alarms()
    alarms.set("late", 3.0)
    alarms.set("early", 1.0)

    assert alarms.deadline == 1.0
    assert alarms.due(2.0) == ["early"]
    assert alarms.deadline == 3.0


def test_a_new_deadline_replaces_the_old_one() -> None:
    alarms: Alarms[str] = Alarms()
    alarms.set("one", 1.0)
    alarms.set("one", 5.0)
    alarms.set("two", 2.0)
    alarms.set("two", None)

    assert alarms.due(4.0) == []
    assert alarms.due(5.0) == ["one"]
    assert alarms.deadline is None


def test_old_deadlines_do_not_pile_up() -> None:
    """A machine that is touched with every message does not grow the heap without end."""
    alarms: Alarms[int] = Alarms()
    for number in range(10_000):
        alarms.set(number % 3, float(number))

    assert len(alarms._heap) < 200
    assert sorted(alarms.due(20_000.0)) == [0, 1, 2]
