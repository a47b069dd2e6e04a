"""When a worker that died is started again."""

from __future__ import annotations

from bridge.serving.backoff import Backoff


def test_the_first_time_at_once() -> None:
    assert Backoff().delay(lived=0.0) == 0.0


def test_then_later_and_later_and_never_later_than_five_seconds() -> None:
    backoff = Backoff()

    delays = [backoff.delay(lived=1.0) for _ in range(9)]

    assert delays == [0.0, 0.1, 0.2, 0.4, 0.8, 1.6, 3.2, 5.0, 5.0]


def test_a_life_of_some_seconds_forgives() -> None:
    """What it had done until then was well done."""
    backoff = Backoff()
    for _ in range(5):
        backoff.delay(lived=0.0)

    assert backoff.delay(lived=5.0) == 0.0
    assert backoff.delay(lived=4.9) == 0.1


def test_it_can_go_on_for_ever() -> None:
    backoff = Backoff()

    assert max(backoff.delay(lived=0.0) for _ in range(100_000)) == 5.0
