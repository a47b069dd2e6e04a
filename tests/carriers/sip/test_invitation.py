"""Who calls whom."""

from __future__ import annotations

from bridge.carriers.sip.invitation import Invitation, call_id_of, read_invitation
from bridge.wire.sip.actions import Offered
from bridge.wire.sip.messages import Headers, Request
from tests.wire.sip.scripts import CALLER, Caller, endpoint


def invite(headers: Headers = (), **options: str) -> Request:
    return Caller(endpoint()).request("INVITE", headers, **options)  # type: ignore[arg-type]


def read(request: Request, account: str | None = None) -> Invitation:
    return read_invitation(Offered("tag", request, CALLER, account=account))


def test_numbers_are_numbers_and_others_are_uris() -> None:
    """As the agent wants to have them."""
    read_ = read(invite(uri="sip:+14155550123;npdi@198.51.100.7;user=phone"))

    assert read_.caller == "sip:caller@192.0.2.10"
    assert read_.called == "+14155550123"


def test_what_a_carrier_asserts_goes_before_what_a_telephone_says() -> None:
    """But only what comes from a peer that is trusted for its address."""
    asserted = invite((("P-Asserted-Identity", "<sip:+14155550100@192.0.2.10>"),))

    assert read(asserted).caller == "+14155550100"
    assert read(asserted, account="desk").caller == "sip:caller@192.0.2.10"


def test_an_assertion_that_cannot_be_read_is_none() -> None:
    assert read(invite((("P-Asserted-Identity", "<<>>"),))).caller == "sip:caller@192.0.2.10"


def test_a_call_is_its_peers() -> None:
    """The account's where there is one, else the address's."""
    assert read(invite()).peer == "192.0.2.10"
    assert read(invite(), account="desk").peer == "desk"


def test_headers_that_begin_with_x_are_parameters() -> None:
    """So many of them, and so long."""
    headers = [("X-Order", "7" * 300), *((f"X-{number}", "") for number in range(30))]
    parameters = read(invite((*headers, ("Subject", "no")))).parameters

    assert parameters["X-Order"] == "7" * 256
    assert len(parameters) == 20
    assert "Subject" not in parameters


def test_a_call_has_one_name() -> None:
    """The same for a copy, another for another call; it tells nothing of the caller."""
    request = invite()
    other = Caller(endpoint(), call_id="c2@192.0.2.10").request("INVITE")

    assert call_id_of(request) == call_id_of(invite())
    assert call_id_of(request) != call_id_of(other)
    assert "192.0.2.10" not in call_id_of(request)
    assert call_id_of(request).replace("-", "").isalnum()


def test_nobody_is_shown() -> None:
    """Numbers do not get into logs."""
    shown = repr(read(invite(uri="sip:+14155550123@198.51.100.7")))

    assert "4155550123" not in shown
    assert "caller" not in shown
