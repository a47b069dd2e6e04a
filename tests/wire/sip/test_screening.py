"""Requests that no call can make sense of."""

from __future__ import annotations

import pytest

from bridge.wire.sip.messages import Body, Headers
from bridge.wire.sip.screening import screen
from tests.wire.sip.scripts import OFFER, Caller, endpoint

TIMER = ("Supported", "timer")


@pytest.mark.parametrize(
    ("method", "uri", "headers", "body", "status"),
    [
        ("INVITE", "sip:a@h", (), OFFER, None),
        ("INVITE", "tel:+1415", (), None, None),
        ("BYE", "sip:a@h", (("Require", "timer"),), None, None),
        ("REGISTER", "sip:h", (), None, 405),
        ("INVITE", "http:x", (), OFFER, 416),
        ("INVITE", "sip:a@h", (("Require", "100rel"),), OFFER, 420),
        ("INVITE", "sip:a@h", (("Content-Encoding", "gzip"),), OFFER, 415),
        ("INVITE", "sip:a@h", (), Body(b"x", "text/plain"), 415),
        ("INVITE", "sip:a@h", (TIMER, ("Session-Expires", "30")), OFFER, 422),
        ("INVITE", "sip:a@h", (TIMER, ("Session-Expires", "x")), OFFER, 400),
    ],
)
def test_screening(
    method: str, uri: str, headers: Headers, body: Body | None, status: int | None
) -> None:
    refusal = screen(Caller(endpoint()).request(method, headers, body, uri=uri))

    assert (refusal.status if refusal else None) == status


def test_a_call_without_contact_leads_nowhere() -> None:
    caller = Caller(endpoint())
    data = caller.request("INVITE", body=OFFER)
    bare = type(data)(
        data.method,
        data.uri,
        tuple(pair for pair in data.headers if pair[0] != "Contact"),
        data.body,
    )
    refusal = screen(bare)

    assert refusal is not None
    assert refusal.status == 400


def test_an_interval_that_is_too_short_is_told_the_shortest() -> None:
    headers = (TIMER, ("Session-Expires", "30"))
    refusal = screen(Caller(endpoint()).request("INVITE", headers, OFFER))

    assert refusal is not None
    assert refusal.first("Min-SE") == "90"
