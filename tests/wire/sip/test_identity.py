"""What peers are told of us."""

from __future__ import annotations

from bridge.wire.sip.identity import Identity
from bridge.wire.sip.places import Transport
from tests.wire.sip.scripts import tokens


def test_contact_names_the_way() -> None:
    who = Identity("2001:db8::1", 5070, tokens(), tls_port=5071)

    assert who.contact(Transport.UDP) == "<sip:bridge@[2001:db8::1]:5070>"
    assert who.contact(Transport.TCP) == "<sip:bridge@[2001:db8::1]:5070;transport=tcp>"
    assert who.contact(Transport.TLS) == "<sip:bridge@[2001:db8::1]:5071;transport=tls>"


def test_each_via_has_its_own_branch() -> None:
    """And asks for rport, so that answers find us behind an address translator."""
    who = Identity("192.0.2.1", 5060, tokens())
    one, other = who.via(Transport.UDP), who.via(Transport.UDP)

    assert one.branch != other.branch
    assert one.unique
    assert one.parameter("rport") == ""


def test_fractions_are_fractions() -> None:
    who = Identity("192.0.2.1", 5060, tokens())

    assert all(0.0 <= who.fraction() <= 1.0 for _ in range(50))
