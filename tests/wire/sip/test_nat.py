"""Where messages go, past address translators."""

from __future__ import annotations

import pytest

from bridge.wire.sip.messages import Request
from bridge.wire.sip.nat import is_private, next_hop, place_of, received, reply_place
from bridge.wire.sip.places import Place, Transport
from bridge.wire.sip.uris import Uri

SOURCE = Place(Transport.UDP, "8.8.4.4", 41234)
STREAM = Place(Transport.TCP, "8.8.4.4", 41234, 5)


def request(via: str) -> Request:
    return Request("OPTIONS", "sip:a@h", (("Via", via),))


def test_received_says_where_it_came_from() -> None:
    other = received(request("SIP/2.0/UDP 10.0.0.5:5070;branch=b"), SOURCE)
    same = received(request("SIP/2.0/UDP 8.8.4.4;branch=b"), SOURCE)

    assert other.via.parameter("received") == "8.8.4.4"
    assert other.via.parameter("rport") is None
    assert same.via.parameter("received") is None


def test_a_liar_is_not_believed() -> None:
    """received and rport of the sender's own making are replaced."""
    via = "SIP/2.0/UDP h;received=198.51.100.1;rport=9;branch=b"

    honest = received(request(via), SOURCE).via

    assert (honest.parameter("received"), honest.parameter("rport")) == ("8.8.4.4", "41234")


@pytest.mark.parametrize(
    ("via", "source", "to"),
    [
        ("SIP/2.0/UDP 10.0.0.5:5070;rport", SOURCE, SOURCE),
        ("SIP/2.0/UDP 10.0.0.5:5070", SOURCE, Place(Transport.UDP, "8.8.4.4", 5070)),
        ("SIP/2.0/UDP h;maddr=198.51.100.1", SOURCE, Place(Transport.UDP, "8.8.4.4", 5060)),
        ("SIP/2.0/TCP 10.0.0.5:5070", STREAM, STREAM),
    ],
)
def test_where_answers_go(via: str, source: Place, to: Place) -> None:
    assert reply_place(request(via), source) == to


@pytest.mark.parametrize(
    ("uri", "place"),
    [
        ("sip:a@h", Place(Transport.UDP, "h", 5060)),
        ("sip:a@h:5070;transport=TCP", Place(Transport.TCP, "h", 5070)),
        ("sips:a@h", Place(Transport.TLS, "h", 5061)),
        ("sip:a@h;maddr=192.0.2.1;transport=sctp", Place(Transport.UDP, "192.0.2.1", 5060)),
    ],
)
def test_where_a_uri_leads(uri: str, place: Place) -> None:
    assert place_of(Uri.read(uri)) == place


def test_a_private_contact_leads_nowhere() -> None:
    """Behind an address translator, whoever talks to us is reached where it talks from."""
    private, public = Uri.read("sip:a@10.0.0.5:5070"), Uri.read("sip:a@8.8.8.8:5070")

    assert next_hop(private, SOURCE) == SOURCE
    assert next_hop(public, SOURCE) == Place(Transport.UDP, "8.8.8.8", 5070)
    assert next_hop(private, SOURCE, routed=True) == Place(Transport.UDP, "10.0.0.5", 5070)
    neighbour = Place(Transport.UDP, "10.0.0.1", 5060)
    assert next_hop(private, neighbour) == Place(Transport.UDP, "10.0.0.5", 5070)
    assert next_hop(private, None) == Place(Transport.UDP, "10.0.0.5", 5070)
    assert next_hop(Uri.read("tel:+1415"), SOURCE) == SOURCE


def test_an_open_stream_is_used() -> None:
    uri = Uri.read("sip:a@8.8.4.4:5060;transport=tcp")

    assert next_hop(uri, STREAM) == STREAM


def test_private_addresses() -> None:
    assert all(is_private(host) for host in ("10.1.2.3", "192.168.1.1", "100.64.0.1", "fe80::1"))
    assert not any(is_private(host) for host in ("8.8.8.8", "example.com", "2001:4860:4860::8888"))
