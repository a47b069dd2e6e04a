"""From settings to what SIP calls them."""

from __future__ import annotations

import pytest

from bridge.carriers.sip.accounts import new_endpoint, place_named, plan_of, registry_of
from bridge.config import Secret, SipPlace, SipRegistrar, SipSettings
from bridge.errors import ConfigError
from bridge.wire.sip.actions import Dropped
from bridge.wire.sip.login import Account
from bridge.wire.sip.messages import Body
from bridge.wire.sip.places import Place, Transport
from tests.wire.sip.scripts import OFFER, STRANGER, Caller, facts, sent, statuses, tokens

TRUNK = SipRegistrar("carrier.example", 5060, "tcp", "desk", Secret("secret"))
SETTINGS = SipSettings(registrars=(TRUNK,))


def test_places_are_named_alike() -> None:
    assert place_named(SipPlace("tls", "192.0.2.1", 5061)) == Place(
        Transport.TLS, "192.0.2.1", 5061
    )


def test_an_account_is_registered_by_its_address() -> None:
    registry, account = registry_of(TRUNK)

    assert registry.address == "sip:desk@carrier.example"
    assert registry.to == Place(Transport.TCP, "carrier.example", 5060)
    assert account == Account("desk", "secret")


def test_whom_we_have_an_account_with_is_called_as_that_account() -> None:
    """By way of its registrar."""
    plan, account = plan_of(SETTINGS, "sip:+14155550123@carrier.example", "198.51.100.7", OFFER)

    assert plan.sender == "sip:desk@carrier.example"
    assert plan.to == Place(Transport.TCP, "carrier.example", 5060)
    assert account == Account("desk", "secret")


def test_others_are_called_where_they_are() -> None:
    plan, account = plan_of(SETTINGS, "sip:desk@192.0.2.9:5070", "198.51.100.7", OFFER)

    assert plan.sender == "sip:bridge@198.51.100.7"
    assert plan.to == Place(Transport.UDP, "192.0.2.9", 5070)
    assert account is None


@pytest.mark.parametrize(
    "target", ["", "desk", "tel:+14155550123", "sip:a b@c", "http://x.example"]
)
def test_what_is_no_sip_uri_is_asked_wrongly(target: str) -> None:
    with pytest.raises(ConfigError, match="must be a URI"):
        plan_of(SETTINGS, target, "198.51.100.7", Body(b""))


def test_peers_are_trusted_and_strangers_hear_nothing() -> None:
    """Unless there are accounts, which a stranger may prove."""
    closed = new_endpoint(SipSettings(peers=("192.0.2.0/24",)), "198.51.100.7", {})
    known = Caller(closed)
    known.invites()

    stranger = Caller(closed, place=STRANGER, branches=tokens("z9hG4bK-s"))

    assert known.call
    assert facts(stranger.asks("INVITE")) == [Dropped("stranger")]

    accounts = {"desk": Secret("secret")}
    open_ = new_endpoint(SipSettings(accounts=accounts), "198.51.100.7", {})

    asked = Caller(open_, place=STRANGER).asks("INVITE")
    [challenge] = sent(asked)[0].all("WWW-Authenticate")

    assert statuses(asked) == [401]
    assert "algorithm=MD5" in challenge


def test_peers_are_told_the_ports_that_are_listened_to() -> None:
    """Those of UDP and TCP are one."""
    ports = {Transport.TCP: 5070, Transport.TLS: 5071}
    ours = new_endpoint(SipSettings(peers=("192.0.2.0/24",)), "198.51.100.7", ports)
    caller = Caller(ours)
    caller.invites()
    [answer] = sent(ours.answer(caller.call, OFFER, 0.0))

    assert answer.first("Contact") == "<sip:bridge@198.51.100.7:5070>"
