"""Passwords of those who call us."""

from __future__ import annotations

import pytest

from bridge.wire.sip.digest import Challenge
from bridge.wire.sip.guard import LIFETIME, WINDOW, Admitted, Challenged, Guard
from bridge.wire.sip.messages import Request
from tests.wire.sip.scripts import Caller, endpoint, tokens

URI = "sip:agent@198.51.100.7"


def guard() -> Guard:
    return Guard("bridge", {"anna": "secret"}, b"key", tokens("n"))


def plain() -> Request:
    return Caller(endpoint()).request("INVITE")


def challenge(door: Guard, now: float = 0.0, algorithm: int = 0) -> Challenge:
    challenged = door.check(plain(), now)
    assert isinstance(challenged, Challenged)
    assert not challenged.failed
    return Challenge.read(challenged.headers[algorithm][1])


def signed(
    asked: Challenge,
    count: int = 1,
    *,
    user: str = "anna",
    password: str = "secret",
    uri: str = URI,
) -> Request:
    credentials = asked.answer(uri, user, "c", count).signed("INVITE", password)
    return Caller(endpoint()).request("INVITE", (("Authorization", str(credentials)),))


def stale(verdict: Admitted | Challenged) -> bool:
    assert isinstance(verdict, Challenged)
    return Challenge.read(verdict.headers[0][1]).stale


@pytest.mark.parametrize("algorithm", [0, 1])
def test_whoever_knows_the_password_is_let_in(algorithm: int) -> None:
    """By SHA-256 or MD5, whichever the peer knows."""
    door = guard()

    assert door.check(signed(challenge(door, 0.0, algorithm)), 1.0) == Admitted("anna")


@pytest.mark.parametrize(
    ("user", "password", "uri"),
    [
        ("anna", "wrong", URI),
        ("bert", "secret", URI),
        ("anna", "secret", "sip:other@198.51.100.7"),
    ],
)
def test_wrong_credentials_fail(user: str, password: str, uri: str) -> None:
    door = guard()
    asked = challenge(door)

    verdict = door.check(signed(asked, user=user, password=password, uri=uri), 1.0)

    assert isinstance(verdict, Challenged)
    assert verdict.failed
    assert not stale(verdict)


def test_credentials_count_once() -> None:
    """A replay is told that its nonce is stale; whoever knows the password just tries again."""
    door = guard()
    request = signed(challenge(door))

    assert door.check(request, 1.0) == Admitted("anna")
    assert stale(door.check(request, 1.1))


def test_counts_may_come_out_of_order_within_a_window() -> None:
    door = guard()
    asked = challenge(door)
    counts = [WINDOW + 10, WINDOW + 9, 11, 10, 12, 12, WINDOW + 300, WINDOW + 9]

    verdicts = [isinstance(door.check(signed(asked, count), 1.0), Admitted) for count in counts]

    assert verdicts == [True, True, True, False, True, False, True, False]


def test_nonces_end() -> None:
    door = guard()
    asked = challenge(door)

    assert stale(door.check(signed(asked), LIFETIME + 1.0))


@pytest.mark.parametrize("nonce", ["made-up", "ffff.x.0123", "", "..", "zz.y.\u00e4"])
def test_nonces_are_ours(nonce: str) -> None:
    assert stale(guard().check(signed(Challenge("bridge", nonce)), 1.0))


def test_one_who_does_not_count_has_one_try_a_nonce() -> None:
    """RFC 2069."""
    door = guard()
    asked = challenge(door)
    old = Challenge(asked.realm, asked.nonce, asked.algorithm, qop=())

    assert door.check(signed(old), 1.0) == Admitted("anna")
    assert stale(door.check(signed(old), 1.1))


def test_memory_is_bounded() -> None:
    """With no room for another nonce in use, its user is asked once more."""
    door = Guard("bridge", {"anna": "secret"}, b"key", tokens("n"), most=1)

    assert door.check(signed(challenge(door)), 1.0) == Admitted("anna")
    assert stale(door.check(signed(challenge(door)), 1.0))
    assert door.check(signed(challenge(door, 100.0)), 100.0) == Admitted("anna")
