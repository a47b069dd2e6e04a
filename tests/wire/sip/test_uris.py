"""URIs as they come, and as they go out again."""

from __future__ import annotations

import pytest

from bridge.wire.sip.faults import Reason, SipProtocolError
from bridge.wire.sip.uris import Uri, read_host_port


@pytest.mark.parametrize(
    "text",
    [
        "sip:example.com",
        "sip:alice@example.com:5070",
        "sips:alice:secret@[2001:db8::1]:5061;transport=tcp;lr",
        "sip:+14155550100;phone-context=x@example.com;user=phone",
        "sip:user;par=u%40example.net@example.com",
        "sip:a@example.com?Subject=x&Priority=urgent",
        "tel:+1-415-555-0100;ext=1",
    ],
)
def test_uris_stay_as_they_are(text: str) -> None:
    assert str(Uri.read(text)) == text


def test_the_parts_of_a_uri() -> None:
    uri = Uri.read("SIP:a;b?c@Host:5070;Transport=TCP;lr?x=y")

    assert (uri.scheme, uri.user, uri.host, uri.port) == ("sip", "a;b?c", "Host", 5070)
    assert (uri.parameter("transport"), uri.parameter("lr"), uri.headers) == ("TCP", "", "x=y")


@pytest.mark.parametrize(
    "text",
    [
        *("", "sip", "sip:", ":x", "sip:@h", "sip:a@", "sip:a@h:port", "sip:a@h:70000"),
        *("sip:a b@h", "sip:a@h;;x", "sip:a@[::1", "<sip:a@h>", "sip:a@b@c", "sip:a@h>x", "1:x"),
    ],
)
def test_what_is_no_uri(text: str) -> None:
    with pytest.raises(SipProtocolError):
        Uri.read(text)


def test_numbers_are_not_printed() -> None:
    assert "4155550100" not in repr(Uri.read("sip:+14155550100@example.com"))


def test_hosts_and_ports() -> None:
    assert read_host_port("h : 5070", Reason.VIA) == ("h", 5070)
    assert read_host_port("[::1]", Reason.VIA) == ("::1", None)
