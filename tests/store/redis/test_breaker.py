"""A store that fails again and again is left alone for a while."""

from __future__ import annotations

from bridge.store.redis.breaker import Breaker


def broken(now: float) -> Breaker:
    breaker = Breaker(limit=3, pause=1.0)
    for _ in range(3):
        assert not breaker.open
        breaker.failed(now)
    return breaker


def test_a_few_failures_are_borne() -> None:
    breaker = Breaker(limit=3, pause=1.0)
    breaker.failed(0.0)
    breaker.failed(0.0)

    assert not breaker.open
    assert breaker.allows(0.0)


def test_a_success_in_between_counts() -> None:
    """Only failures in a row open it."""
    breaker = Breaker(limit=3, pause=1.0)
    for _ in range(5):
        breaker.failed(0.0)
        breaker.failed(0.0)
        breaker.succeeded()

    assert not breaker.open


def test_nobody_tries_for_a_while() -> None:
    breaker = broken(now=10.0)

    assert breaker.open
    assert not breaker.allows(10.99)


def test_then_one_tries() -> None:
    """And the others do not, before it is known how that went, or for another while."""
    breaker = broken(now=10.0)

    allowed = [breaker.allows(11.0), breaker.allows(11.0), breaker.allows(11.9)]

    assert allowed == [True, False, False]
    assert breaker.allows(12.0)


def test_one_success_closes_it() -> None:
    breaker = broken(now=10.0)
    breaker.allows(11.0)
    breaker.succeeded()

    assert not breaker.open
    assert breaker.allows(11.0)
    breaker.failed(11.0)
    assert not breaker.open


def test_another_failure_keeps_it_open() -> None:
    breaker = broken(now=10.0)
    breaker.allows(11.0)
    breaker.failed(11.2)

    assert not breaker.allows(12.1)
    assert breaker.allows(12.2)
