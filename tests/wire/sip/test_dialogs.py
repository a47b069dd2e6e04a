"""Who talks to whom, and by which way."""

from __future__ import annotations

import pytest

from bridge.wire.sip.dialogs import Dialog, reissue
from bridge.wire.sip.messages import Headers
from bridge.wire.sip.places import Place, Transport
from tests.wire.sip.scripts import ANSWER, CALLER, OFFER, Caller, endpoint, identity, response_to

ROUTES: Headers = (
    ("Record-Route", "<sip:p2.example.com;lr>, <sip:p1.example.com;lr>"),
    ("Record-Route", "<sip:p0.example.com;lr>"),
)


def as_callee(headers: Headers = ()) -> Dialog:
    invite = Caller(endpoint()).request("INVITE", headers, OFFER)
    return Dialog.as_callee(identity(), invite, CALLER, "ours")


def as_caller(headers: Headers = ()) -> Dialog:
    invite = Caller(endpoint()).request("INVITE", (), OFFER)
    response = response_to(invite, 200, headers, ANSWER, "theirs")
    return Dialog.as_caller(identity(), invite, response, CALLER)


def test_requests_of_a_callee() -> None:
    bye = as_callee().request("BYE")

    assert bye.uri == "sip:caller@192.0.2.10:5060"
    assert (bye.sender.tag, bye.recipient.tag) == ("ours", "caller")
    assert (bye.call_id, str(bye.cseq)) == ("c1@192.0.2.10", "1 BYE")


def test_requests_of_a_caller_count_on() -> None:
    dialog = as_caller()

    assert [str(dialog.request(method).cseq) for method in ("INFO", "BYE")] == ["2 INFO", "3 BYE"]
    assert str(dialog.request("ACK", cseq=1).cseq) == "1 ACK"
    assert dialog.remote_tag == "theirs"


def test_routes_are_taken_in_order_by_the_callee_and_backwards_by_the_caller() -> None:
    callee, caller = as_callee(ROUTES), as_caller(ROUTES)
    hosts = [
        [one.partition("sip:")[2][:2] for one in end.request("BYE").all("Route")]
        for end in (callee, caller)
    ]

    assert hosts == [["p2", "p1", "p0"], ["p0", "p1", "p2"]]
    assert callee.hop == Place(Transport.UDP, "p2.example.com", 5060)


def test_a_strict_router_gets_what_it_wants() -> None:
    """RFC 2543's routers read their own address in the Request-URI (section 12.2.1.1)."""
    bye = as_callee((("Record-Route", "<sip:old.example.com>, <sip:p1;lr>"),)).request("BYE")

    assert bye.uri == "sip:old.example.com"
    assert bye.all("Route") == ["<sip:p1;lr>", "<sip:caller@192.0.2.10:5060>"]


@pytest.mark.parametrize(("number", "newer"), [(0, False), (1, False), (2, True), (9, True)])
def test_requests_come_in_order(number: int, newer: bool) -> None:
    request = Caller(endpoint()).request("INFO", number=number)

    assert as_callee().in_order(request) is newer


def test_both_tags_and_the_call_id_have_to_fit() -> None:
    dialog, caller = as_callee(), Caller(endpoint())

    assert dialog.owns(caller.request("BYE"))
    assert not dialog.owns(Caller(endpoint(), tag="other").request("BYE"))
    assert not dialog.owns(Caller(endpoint(), call_id="other").request("BYE"))
    assert dialog.sent(dialog.request("BYE"))
    assert not as_caller().sent(dialog.request("BYE"))


def test_a_new_contact_is_a_new_target() -> None:
    dialog = as_callee()
    moved = response_to(Caller(endpoint()).request("INVITE"), 200)

    dialog.refresh(moved, CALLER)

    assert dialog.request("BYE").uri == "sip:callee@192.0.2.10:5060"


def test_accepting_copies_the_record_of_the_route() -> None:
    invite = Caller(endpoint()).request("INVITE", ROUTES, OFFER)
    response = Dialog.as_callee(identity(), invite, CALLER, "ours").accept(invite, ANSWER)

    assert response.all("Record-Route") == invite.all("Record-Route")
    assert response.recipient.tag == "ours"
    assert response.contact is not None


def test_the_same_once_more() -> None:
    """A new branch, and headers replaced rather than doubled."""
    request = as_callee().request("INFO", headers=(("Authorization", "old"),))
    again = reissue(request, identity(), ("CSeq", "2 INFO"), ("Authorization", "new"))

    assert again.all("Authorization") == ["new"]
    assert again.all("CSeq") == ["2 INFO"]
    assert len(again.all("Via")) == 1
