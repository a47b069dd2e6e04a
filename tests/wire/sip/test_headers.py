"""Addresses, Via, CSeq."""

from __future__ import annotations

import pytest

from bridge.wire.sip.faults import SipProtocolError
from bridge.wire.sip.headers import Address, CSeq, Via, read_addresses


def test_parameters_belong_to_the_header_unless_there_are_brackets() -> None:
    bare = Address.read("sip:a@h;tag=1;x=2")
    bracketed = Address.read('"A \\"B\\"" <sip:a@h;lr>;tag=1')

    assert (bare.uri.parameters, bare.tag, bare.parameter("x")) == ((), "1", "2")
    assert (bracketed.display, bracketed.uri.parameter("lr"), bracketed.tag) == ('A "B"', "", "1")


def test_a_less_than_sign_in_quotes_is_a_name() -> None:
    assert Address.read('"a <b>" <sip:a@h>').display == "a <b>"


@pytest.mark.parametrize(
    "text", ["", '"open <sip:a@h>', "<sip:a@h", '"a" b <sip:a@h>', "sip:a@h?x=y", "< sip:a@h>"]
)
def test_what_is_no_address(text: str) -> None:
    with pytest.raises(SipProtocolError):
        Address.read(text)


def test_lists_of_addresses() -> None:
    both = read_addresses('"a, b" <sip:a@h;lr>, <sip:b@h>;q=1')

    assert [one.uri.user for one in both] == ["a", "b"]


def test_a_via_in_odd_writing() -> None:
    via = Via.read("SIP / 2.0 / udp  host.example.com : 5070 ; branch=z9hG4bKx;rport")

    assert (via.transport, via.host, via.port) == ("UDP", "host.example.com", 5070)
    assert (via.branch, via.unique, via.parameter("rport")) == ("z9hG4bKx", True, "")
    assert str(via) == "SIP/2.0/UDP host.example.com:5070;branch=z9hG4bKx;rport"


def test_a_parameter_is_set_once() -> None:
    via = Via.read("SIP/2.0/UDP h;rport;branch=b").with_parameter("rport", "9")

    assert str(via) == "SIP/2.0/UDP h;branch=b;rport=9"
    assert not via.unique


@pytest.mark.parametrize("text", ["", "SIP/2.0/UDP", "SIP/3.0/UDP h", "SIP/2.0/UDP ;x", "UDP h"])
def test_what_is_no_via(text: str) -> None:
    with pytest.raises(SipProtocolError):
        Via.read(text)


def test_cseq() -> None:
    assert CSeq.read("0009   INVITE") == CSeq(9, "INVITE")
    assert str(CSeq(9, "INVITE")) == "9 INVITE"
    for text in ("", "9", "INVITE", "9 IN VITE", "2147483648 INVITE", "-1 INVITE"):
        with pytest.raises(SipProtocolError):
            CSeq.read(text)
