"""Answers repeat what ties them to their request."""

from __future__ import annotations

from bridge.wire.sip.messages import Body
from bridge.wire.sip.responses import refuse, respond, stable_tag
from tests.wire.sip.scripts import Caller, endpoint


def test_what_is_copied() -> None:
    request = Caller(endpoint()).request("INVITE")
    response = respond(request, 200, tag="ours", body=Body(b"x"))

    for name in ("Via", "From", "Call-ID", "CSeq"):
        assert response.all(name) == request.all(name)
    assert response.recipient.tag == "ours"
    assert response.first("Content-Type") == "application/sdp"


def test_100_has_no_tag() -> None:
    request = Caller(endpoint()).request("INVITE", (("Timestamp", "54"),))
    trying = respond(request, 100)

    assert trying.recipient.tag is None
    assert trying.first("Timestamp") == "54"


def test_a_tag_that_is_there_stays() -> None:
    request = Caller(endpoint(), to_tag="known").request("BYE")

    assert respond(request, 481).recipient.tag == "known"


def test_copies_of_a_request_get_the_same_tag() -> None:
    caller = Caller(endpoint())
    one, other = caller.request("OPTIONS"), caller.request("OPTIONS")

    assert stable_tag(one) == stable_tag(one) != stable_tag(other)


def test_refusals_say_what_would_do() -> None:
    request = Caller(endpoint()).request("INVITE", (("Require", "timer, x, y"),))

    assert "INVITE" in (refuse(request, 405).first("Allow") or "")
    assert "application/sdp" in (refuse(request, 415).first("Accept") or "")
    assert refuse(request, 420).first("Unsupported") == "x, y"
    assert refuse(request, 503, retry_after=30).first("Retry-After") == "30"
