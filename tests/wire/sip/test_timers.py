"""Pauses that double."""

from __future__ import annotations

from bridge.wire.sip.timers import INFINITY, Repeater, earliest


def pauses(repeater: Repeater, count: int) -> list[float]:
    now, seen = 0.0, []
    for _ in range(count):
        seen.append(repeater.deadline - now)
        now = repeater.deadline
        assert repeater.due(now)
    return seen


def test_pauses_double_up_to_t2() -> None:
    assert pauses(Repeater(0.0), 6) == [0.5, 1.0, 2.0, 4.0, 4.0, 4.0]
    assert pauses(Repeater(0.0, longest=INFINITY), 6) == [0.5, 1.0, 2.0, 4.0, 8.0, 16.0]


def test_a_repeater_is_due_once() -> None:
    repeater = Repeater(0.0)

    assert not repeater.due(0.4)
    assert repeater.due(0.5)
    assert not repeater.due(0.5)


def test_slow_and_stopped() -> None:
    repeater, reliable = Repeater(0.0), Repeater(0.0, active=False)
    repeater.slow(1.0)
    reliable.slow(1.0)

    assert (repeater.deadline, reliable.deadline) == (5.0, INFINITY)
    repeater.stop()
    assert not repeater.due(100.0)


def test_the_earliest_of_some() -> None:
    assert earliest(None, 3.0, 2.0, INFINITY) == 2.0
    assert earliest(None, INFINITY) is None
