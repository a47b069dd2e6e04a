"""Telling a registrar where we are."""

from __future__ import annotations

from dataclasses import dataclass, field

from bridge.wire.sip import actions
from bridge.wire.sip.actions import Ask, CallAction
from bridge.wire.sip.digest import Challenge, Credentials
from bridge.wire.sip.login import Account
from bridge.wire.sip.messages import Headers, Request
from bridge.wire.sip.registration import Registration, Registry
from tests.wire.sip.scripts import CALLER, identity, response_to

REGISTRY = Registry("trunk", "sip:bridge@example.com:5070", CALLER)


@dataclass
class Registrar:
    """A registrar that answers what it is told to."""

    registration: Registration = field(
        default_factory=lambda: Registration("tag", identity(), REGISTRY, Account("anna", "secret"))
    )
    asked: list[Request] = field(default_factory=list)

    def hears(self, happened: list[CallAction]) -> list[CallAction]:
        self.asked += [action.request for action in happened if isinstance(action, Ask)]
        return [action for action in happened if not isinstance(action, Ask)]

    def answers(self, status: int, headers: Headers = (), now: float = 0.0) -> list[CallAction]:
        request = self.asked[-1]
        response = response_to(request, status, headers)
        return self.hears(self.registration.responded(request, response, now))

    def wakes(self) -> float:
        """Time passes until the registration wants to do something."""
        deadline = self.registration.deadline
        assert deadline is not None
        self.hears(self.registration.time_is_up(deadline))
        return deadline


def registered() -> Registrar:
    registrar = Registrar()
    registrar.hears(registrar.registration.start())
    registrar.answers(200, (("Expires", "600"),))
    return registrar


def test_a_registration_is_repeated_before_it_ends() -> None:
    registrar = registered()

    at = registrar.wakes()

    first, again = registrar.asked
    assert first.uri == "sip:example.com:5070"
    assert (first.call_id, first.first("Expires")) == (again.call_id, "600")
    assert again.cseq.number > first.cseq.number
    assert at == 540.0


def test_the_contact_says_for_how_long() -> None:
    """A registrar may give less than was wanted, and knows other contacts besides ours."""
    registrar = Registrar()
    registrar.hears(registrar.registration.start())
    contacts = "<sip:other@192.0.2.1>;expires=9, <sip:bridge@198.51.100.7:5060>;expires=120"

    told = registrar.answers(200, (("Contact", contacts), ("Expires", "3600")))

    assert told == [actions.Registered("trunk", 120)]
    assert registrar.registration.deadline == 85.0


def test_a_challenge_is_answered() -> None:
    registrar = Registrar()
    registrar.hears(registrar.registration.start())

    told = registrar.answers(401, (("WWW-Authenticate", str(Challenge("example.com", "n"))),))

    assert told == []
    credentials = Credentials.read(registrar.asked[-1].first("Authorization") or "")
    assert credentials.proven("REGISTER", "secret")
    assert credentials.uri == "sip:example.com:5070"


def test_a_wrong_password_is_tried_less_and_less_often() -> None:
    registrar = Registrar()
    registrar.hears(registrar.registration.start())
    challenge = (("WWW-Authenticate", str(Challenge("example.com", "n"))),)
    now, pauses = 0.0, []
    for _ in range(9):
        registrar.answers(401, challenge, now)
        (told,) = registrar.answers(401, challenge, now)
        assert isinstance(told, actions.Unregistered)
        assert told.status == 401
        pauses.append(told.retry_in or 0.0)
        now = registrar.wakes()

    assert 2.5 <= pauses[0] <= 5.0
    assert 150.0 <= pauses[-1] <= 300.0


def test_a_longer_interval_is_agreed_to() -> None:
    registrar = Registrar()
    registrar.hears(registrar.registration.start())

    registrar.answers(423, (("Min-Expires", "1800"),))
    (told,) = registrar.answers(423, (("Min-Expires", "1800"),))

    assert [one.first("Expires") for one in registrar.asked] == ["600", "1800"]
    assert isinstance(told, actions.Unregistered)


def test_the_registrars_own_wish_is_respected() -> None:
    registrar = Registrar()
    registrar.hears(registrar.registration.start())

    registrar.answers(503, (("Retry-After", "120"),), 10.0)

    assert registrar.registration.deadline == 130.0


def test_silence_is_a_failure() -> None:
    registrar = Registrar()
    registrar.hears(registrar.registration.start())

    (told,) = registrar.registration.silent(registrar.asked[-1], 32.0)

    assert isinstance(told, actions.Unregistered)
    assert told.status == 408
    assert registrar.registration.silent(registrar.asked[-1], 33.0) == []


def test_leaving() -> None:
    """Expires: 0, whether the registrar likes it or not."""
    for status in (200, 500):
        registrar = registered()
        registrar.hears(registrar.registration.stop())
        registrar.answers(status)

        assert registrar.asked[-1].first("Expires") == "0"
        assert registrar.registration.gone
        assert registrar.registration.deadline is None
        assert registrar.registration.stop() == []
