"""Who is heard."""

from __future__ import annotations

import pytest

from bridge.errors import ConfigError
from bridge.wire.sip.peers import MOST, Peers, Rules, Verdict


def test_networks_are_trusted() -> None:
    peers = Peers(["192.0.2.0/24", "2001:db8::/32", "198.51.100.1"])
    trusted = ["192.0.2.1", "2001:db8::5", "198.51.100.1", "::ffff:192.0.2.9"]

    assert all(peers.judge(host, 0.0) is Verdict.TRUSTED for host in trusted)
    assert peers.judge("198.51.100.2", 0.0) is Verdict.SILENCE
    assert peers.judge("example.com", 0.0) is Verdict.SILENCE


@pytest.mark.parametrize(
    ("rules", "verdict"),
    [
        (Rules(), Verdict.SILENCE),
        (Rules(polite=True), Verdict.FORBIDDEN),
        (Rules(accounts=True), Verdict.CHALLENGE),
    ],
)
def test_what_strangers_get(rules: Rules, verdict: Verdict) -> None:
    assert Peers([], rules).judge("203.0.113.1", 0.0) is verdict


def test_scanners_run_dry() -> None:
    """A burst, and so many a second; each address has its own."""
    peers = Peers([], Rules(accounts=True, burst=3, per_second=1.0))

    at_once = [peers.judge("203.0.113.1", 0.0) for _ in range(5)]

    assert at_once == [Verdict.CHALLENGE] * 3 + [Verdict.SILENCE] * 2
    assert peers.judge("203.0.113.1", 1.0) is Verdict.CHALLENGE
    assert peers.judge("203.0.113.1", 1.1) is Verdict.SILENCE
    assert peers.judge("203.0.113.2", 1.1) is Verdict.CHALLENGE


def test_wrong_passwords_are_paid_for() -> None:
    peers = Peers(["192.0.2.1"], Rules(accounts=True, failures=2, penalty=60.0))
    for host in ("203.0.113.1", "192.0.2.1", "203.0.113.1", "192.0.2.1"):
        peers.failed(host, 0.0)

    assert peers.judge("203.0.113.1", 59.0) is Verdict.SILENCE
    assert peers.judge("203.0.113.1", 60.0) is Verdict.CHALLENGE
    assert peers.judge("192.0.2.1", 1.0) is Verdict.TRUSTED


def test_a_right_password_is_a_new_start() -> None:
    peers = Peers([], Rules(accounts=True, failures=2))
    peers.failed("203.0.113.1", 0.0)
    peers.proved("203.0.113.1", 0.0)
    peers.failed("203.0.113.1", 0.0)

    assert peers.judge("203.0.113.1", 1.0) is Verdict.CHALLENGE


def test_the_table_of_strangers_is_bounded() -> None:
    peers = Peers([])
    for number in range(MOST + 50):
        peers.judge(f"10.{number // 65536}.{number // 256 % 256}.{number % 256}", 0.0)

    assert len(peers._strangers) == MOST


def test_networks_that_are_none() -> None:
    with pytest.raises(ConfigError):
        Peers(["192.0.2.1/24"])
