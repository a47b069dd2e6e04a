"""How much one peer may call."""

from __future__ import annotations

from bridge.carriers.sip.quotas import DAY, MOST, Quotas


def test_calls_at_once_are_counted_for_each_peer() -> None:
    """One peer's calls do not shut out another."""
    quotas = Quotas(2, 0)
    quotas.begin("a", 0.0)
    quotas.begin("a", 0.0)

    assert quotas.refusal("a", 1.0) == "peer-calls"
    assert quotas.refusal("b", 1.0) is None

    quotas.end("a", 1.0)

    assert quotas.refusal("a", 1.0) is None


def test_minutes_are_given_anew_each_day() -> None:
    quotas = Quotas(0, 1)
    quotas.begin("a", 0.0)
    quotas.end("a", 60.0)

    assert quotas.refusal("a", 61.0) == "peer-minutes"
    assert quotas.refusal("a", DAY) is None


def test_no_limit_is_no_limit() -> None:
    quotas = Quotas(0, 0)
    for _ in range(1000):
        quotas.begin("a", 0.0)
    quotas.end("a", 1e6)

    assert quotas.refusal("a", 0.0) is None


def test_only_so_many_peers_are_remembered() -> None:
    """Those that are not calling are forgotten first."""
    quotas = Quotas(1, 0)
    quotas.begin("busy", 0.0)
    for number in range(MOST):
        quotas.begin(str(number), 0.0)
        quotas.end(str(number), 1.0)

    assert quotas.refusal("busy", 0.0) == "peer-calls"
    assert len(quotas._peers) == MOST
