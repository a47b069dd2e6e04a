"""What the words of a description amount to."""

from __future__ import annotations

import pytest

from bridge.audio.formats import ALAW_8K
from bridge.wire.rtp.payloads import Outgoing, Payloads
from bridge.wire.sdp.agreement import Agreement, Local, check_transport, packet_ms, places
from bridge.wire.sdp.description import Media
from bridge.wire.sdp.direction import Direction
from bridge.wire.sdp.faults import NotAcceptable, Refusal
from bridge.wire.sdp.reader import read
from tests.wire.sdp.examples import LOCAL, sdp


def media(*attributes: tuple[str, str | None]) -> Media:
    return Media("audio", 4000, "RTP/AVP", ("0",), None, attributes)


@pytest.mark.parametrize(
    ("ptime", "maxptime", "result"),
    [
        (None, None, 20),
        ("10", None, 10),
        ("20", None, 20),
        ("30", None, 30),
        ("60", None, 60),
        ("20.0", None, 20),
        ("150", None, 60),
        ("25", None, 20),
        ("5", None, 10),
        ("60", "30", 30),
        (None, "10", 10),
        ("nonsense", "0", 20),
    ],
)
def test_packets_are_as_long_as_they_like(
    ptime: str | None, maxptime: str | None, result: int
) -> None:
    """In steps of 10 ms from 10 to 60, and what is nonsense is not said."""
    wishes = (("ptime", ptime), ("maxptime", maxptime))

    assert packet_ms(media(*((n, v) for n, v in wishes if v is not None)), 20) == result


@pytest.mark.parametrize(
    ("line", "mux", "rtcp"),
    [
        ("a=x", False, ("192.0.2.10", 4001)),
        ("a=x", True, ("192.0.2.10", 4000)),
        ("a=rtcp:53020", False, ("192.0.2.10", 53020)),
        ("a=rtcp:53020", True, ("192.0.2.10", 4000)),
        ("a=rtcp:53020 IN IP4 192.0.2.99", False, ("192.0.2.99", 53020)),
    ],
)
def test_rtcp_goes_where_it_is_wanted(line: str, mux: bool, rtcp: tuple[str, int]) -> None:
    """The port above, the one of RFC 3605, or that of RTP."""
    description = read(sdp("m=audio 4000 RTP/AVP 0", line))

    found = places(description, description.media[0], LOCAL, mux=mux)

    assert found == (("192.0.2.10", 4000), rtcp)


@pytest.mark.parametrize(
    "lines",
    [
        ("c=IN IP4 224.2.1.1/127",),
        ("c=IN IP4 255.255.255.255",),
        ("c=IN IP6 2001:db8::1",),
        ("a=rtcp:0",),
        ("a=rtcp:x",),
        ("a=rtcp:5000 IN IP4",),
        ("a=rtcp:5000 IN IP4 239.1.1.1",),
    ],
)
def test_nothing_is_sent_to_many_or_to_another_family(lines: tuple[str, ...]) -> None:
    """What cannot be reached is refused before the call begins."""
    description = read(sdp("m=audio 4000 RTP/AVP 0", *lines))

    with pytest.raises(NotAcceptable) as refused:
        places(description, description.media[0], LOCAL, mux=False)

    assert refused.value.refusal is Refusal.ADDRESS


@pytest.mark.parametrize(
    ("protocol", "refusal"),
    [
        ("RTP/SAVP", Refusal.ENCRYPTED),
        ("UDP/TLS/RTP/SAVPF", Refusal.ENCRYPTED),
        ("TCP/RTP/AVP", Refusal.TRANSPORT),
        ("udptl", Refusal.TRANSPORT),
    ],
)
def test_plain_rtp_alone(protocol: str, refusal: Refusal) -> None:
    """SRTP is refused in words of its own."""
    check_transport(Media("audio", 4000, "RTP/AVPF", ("0",)))

    with pytest.raises(NotAcceptable) as refused:
        check_transport(Media("audio", 4000, protocol, ("0",)))

    assert refused.value.refusal is refusal


def test_an_agreement_tells_the_sender() -> None:
    """How to send, and that a call on hold does not."""
    where = ("192.0.2.10", 4000)
    agreement = Agreement(
        where, where, ALAW_8K, 8, Payloads(), 101, 30, Direction.RECVONLY, rtcp_mux=True
    )

    assert agreement.outgoing == Outgoing(8, ALAW_8K, 30, 101, sends=False)
    assert "192.0.2.10" not in repr(agreement)


def test_an_end_may_speak_ipv6() -> None:
    """Then it is the other family that is refused."""
    description = read(sdp("m=audio 4000 RTP/AVP 0", address="2001:db8::9"))

    rtp, _ = places(description, description.media[0], Local("2001:db8::1", 5000), mux=True)

    assert rtp == ("2001:db8::9", 4000)
