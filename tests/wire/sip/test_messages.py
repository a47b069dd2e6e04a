"""Messages as values."""

from __future__ import annotations

import pytest

from bridge.wire.sip.headers import Via
from bridge.wire.sip.messages import Body, Request, Response, full_name

HEADERS = (
    ("Via", "SIP/2.0/UDP a;branch=1, SIP/2.0/UDP b"),
    ("Via", "SIP/2.0/UDP c"),
    ("Supported", "timer , 100rel"),
    ("Supported", "Path"),
    ("Contact", '"x, y" <sip:x@h>, <sip:z@h>'),
)


@pytest.mark.parametrize(
    ("written", "full"),
    [("v", "Via"), ("CALL-id", "Call-ID"), ("cseq", "CSeq"), ("x", "Session-Expires")],
)
def test_names_have_one_spelling(written: str, full: str) -> None:
    assert full_name(written) == full


def test_lists_are_read_over_several_headers() -> None:
    request = Request("OPTIONS", "sip:a@h", HEADERS)

    assert request.words("Supported") == ["timer", "100rel", "path"]
    assert [Via.read(one).host for one in request.listed("Via")] == ["a", "b", "c"]
    assert request.via.branch == "1"
    assert request.contact is not None
    assert request.contact.display == "x, y"
    assert request.first("Nothing") is None


def test_the_topmost_via_is_replaced_alone() -> None:
    request = Request("OPTIONS", "sip:a@h", HEADERS)
    other = request.with_top(request.via.with_parameter("received", "1.2.3.4"))

    assert other.via.parameter("received") == "1.2.3.4"
    assert [Via.read(one).host for one in other.listed("Via")] == ["a", "b", "c"]
    assert other.words("Supported") == request.words("Supported")


def test_the_length_follows_from_the_body() -> None:
    request = Request("INFO", "sip:a@h", (("Content-Type", "Text/Plain;charset=x"),), b"four")

    assert request.render().endswith(b"Content-Length: 4\r\n\r\nfour")
    assert request.content == Body(b"four", "text/plain")
    assert Request("INFO", "sip:a@h", ()).content is None


def test_kinds_of_answers() -> None:
    answers = [Response(status, "", ()) for status in (180, 200, 486)]

    assert [one.final for one in answers] == [False, True, True]
    assert [one.good for one in answers] == [False, True, False]


def test_every_contact_is_none() -> None:
    assert Request("REGISTER", "sip:h", (("Contact", "*"),)).contact is None
