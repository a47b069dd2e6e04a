"""Offers and answers: RFC 3264, as telephones and trunks speak it."""

from __future__ import annotations

import pytest

from bridge.audio.formats import ALAW_8K, ULAW_8K
from bridge.wire.sdp.agreement import Agreement, Capabilities, Local
from bridge.wire.sdp.description import Description
from bridge.wire.sdp.direction import Direction
from bridge.wire.sdp.faults import NotAcceptable, Reason, Refusal, SdpError
from bridge.wire.sdp.offer_answer import Negotiation
from bridge.wire.sdp.reader import read
from tests.wire.sdp.examples import LOCAL, PHONE, sdp


def negotiation(local: Local = LOCAL) -> Negotiation:
    return Negotiation(local, 4242)


def answered(ours: Negotiation, *lines: str, address: str = "192.0.2.10") -> list[str]:
    """The lines of our answer."""
    answer = ours.answer(read(sdp(*lines, address=address)))
    return answer.write().decode().splitlines()


def held(ours: Negotiation) -> Agreement:
    assert ours.agreement is not None
    return ours.agreement


def test_a_telephone_calls() -> None:
    """We answer with its first codec that we speak, its keys, and our place."""
    ours = negotiation()

    lines = answered(ours, *PHONE)

    assert lines == [
        "v=0",
        "o=- 4242 0 IN IP4 198.51.100.7",
        "s=-",
        "c=IN IP4 198.51.100.7",
        "t=0 0",
        "m=audio 30000 RTP/AVP 8 101",
        "a=rtpmap:8 PCMA/8000",
        "a=rtpmap:101 telephone-event/8000",
        "a=fmtp:101 0-15",
        "a=ptime:20",
        "a=maxptime:60",
        "a=sendrecv",
    ]
    agreement = held(ours)
    assert agreement.remote == ("192.0.2.10", 40_000)
    assert agreement.remote_rtcp == ("192.0.2.10", 40_001)
    assert (agreement.format, agreement.payload_type, agreement.events) == (ALAW_8K, 8, 101)
    assert agreement.payloads.events == {101}
    assert agreement.direction is Direction.SENDRECV


def test_the_order_is_the_offerers() -> None:
    """What we like better does not matter in an answer, and what we do not speak is left out."""
    ours = Negotiation(LOCAL, 1, Capabilities((ALAW_8K, ULAW_8K)))

    lines = answered(ours, "m=audio 40000 RTP/AVP 9 18 0 8", "a=rtpmap:9 G722/8000")

    assert "m=audio 30000 RTP/AVP 0" in lines
    assert held(ours).format == ULAW_8K
    assert held(ours).events is None


def test_dynamic_numbers_are_the_offerers() -> None:
    """We send and receive by them."""
    ours = negotiation()

    lines = answered(
        ours,
        "m=audio 40000 RTP/AVP 97 96",
        "a=rtpmap:97 PCMU/8000",
        "a=rtpmap:96 telephone-event/8000",
        "a=fmtp:96 0-16",
    )

    assert "m=audio 30000 RTP/AVP 97 96" in lines
    assert held(ours).payload_type == 97
    assert held(ours).payloads.audio[97] == ULAW_8K
    assert held(ours).payloads.events == {96}


@pytest.mark.parametrize(
    ("hold", "answer"),
    [
        (("a=sendonly",), "a=recvonly"),
        (("a=inactive",), "a=inactive"),
        (("a=recvonly",), "a=sendonly"),
        (("c=IN IP4 0.0.0.0",), "a=recvonly"),
        (("c=IN IP4 0.0.0.0", "a=inactive"), "a=inactive"),
    ],
)
def test_hold_and_back(hold: tuple[str, ...], answer: str) -> None:
    """The versions count, the agreement says what we may do, and the call comes back."""
    ours = negotiation()
    answered(ours, *PHONE)

    lines = answered(ours, *PHONE, *hold)

    assert answer in lines
    assert lines[1] == "o=- 4242 1 IN IP4 198.51.100.7"
    assert held(ours).outgoing.sends == (answer == "a=sendonly")
    assert "o=- 4242 2 IN IP4 198.51.100.7" in answered(ours, *PHONE)
    assert held(ours).outgoing.sends


def test_a_refresh_says_nothing_new() -> None:
    """The same answer has the same version (RFC 3264 section 8)."""
    ours = negotiation()

    assert answered(ours, *PHONE) == answered(ours, *PHONE)


def test_the_other_end_moves() -> None:
    """Where audio goes is in its last offer."""
    ours = negotiation()
    answered(ours, *PHONE)

    answered(ours, "m=audio 50000 RTP/AVP 8", address="192.0.2.77")

    assert held(ours).remote == ("192.0.2.77", 50_000)


def test_other_media_are_refused_in_their_places() -> None:
    """Each m-line has its answer, and those with port 0 are not looked at."""
    ours = negotiation()

    lines = answered(
        ours,
        "m=audio 0 RTP/AVP 0",
        "m=video 40002 RTP/AVP 31",
        "m=audio 40000 RTP/AVP 0",
        "m=audio 40004 RTP/AVP 0",
        "m=image 40006 udptl t38",
    )

    assert [line for line in lines if line.startswith("m=")] == [
        "m=audio 0 RTP/AVP 0",
        "m=video 0 RTP/AVP 31",
        "m=audio 30000 RTP/AVP 0",
        "m=audio 0 RTP/AVP 0",
        "m=image 0 udptl t38",
    ]


def test_the_example_of_the_rfc() -> None:
    """RFC 3264 section 10.1: three codecs and two videos; one codec is taken, no video."""
    ours = negotiation()

    lines = answered(
        ours,
        "m=audio 49170 RTP/AVP 0 8 97",
        "a=rtpmap:0 PCMU/8000",
        "a=rtpmap:8 PCMA/8000",
        "a=rtpmap:97 iLBC/8000",
        "m=video 51372 RTP/AVP 31 32",
        "a=rtpmap:31 H261/90000",
        "a=rtpmap:32 MPV/90000",
    )

    assert [line for line in lines if line.startswith("m=")] == [
        "m=audio 30000 RTP/AVP 0",
        "m=video 0 RTP/AVP 31 32",
    ]
    assert held(ours).remote == ("192.0.2.10", 49_170)


def test_encrypted_and_plain_side_by_side() -> None:
    """Some offer both; the plain one is taken."""
    ours = negotiation()

    lines = answered(
        ours, "m=audio 40000 RTP/SAVP 0", "a=crypto:1 x", "m=audio 40002 RTP/AVP 0", "a=crypto:1 x"
    )

    assert "m=audio 0 RTP/SAVP 0" in lines
    assert "m=audio 30000 RTP/AVP 0" in lines
    assert not any("crypto" in line for line in lines)


@pytest.mark.parametrize(
    ("lines", "refusal"),
    [
        ((), Refusal.NO_AUDIO),
        (("m=video 40000 RTP/AVP 31",), Refusal.NO_AUDIO),
        (("m=audio 0 RTP/AVP 0",), Refusal.NO_AUDIO),
        (("m=audio 40000 RTP/SAVP 0",), Refusal.ENCRYPTED),
        (("m=audio 9 UDP/TLS/RTP/SAVPF 111 0",), Refusal.ENCRYPTED),
        (("m=audio 40000 RTP/AVP 9 18", "a=rtpmap:9 G722/8000"), Refusal.CODEC),
        (("m=audio 40000 RTP/AVP 0", "c=IN IP4 224.1.1.1"), Refusal.ADDRESS),
    ],
)
def test_what_cannot_be_is_refused(lines: tuple[str, ...], refusal: Refusal) -> None:
    """With 488, and what held before holds on."""
    ours = negotiation()
    answered(ours, *PHONE)
    before = ours.agreement

    with pytest.raises(NotAcceptable) as refused:
        answered(ours, *lines)

    assert refused.value.refusal is refusal
    assert ours.agreement is before


def test_rtcp_shares_a_port_with_whoever_wants_to() -> None:
    """rtcp-mux is accepted (RFC 5761), and not answered to who has not offered it."""
    ours = negotiation()

    assert "a=rtcp-mux" in answered(ours, *PHONE, "a=rtcp-mux")
    assert held(ours).remote_rtcp == ("192.0.2.10", 40_000)
    assert "a=rtcp-mux" not in answered(ours, *PHONE, "a=rtcp:40009")
    assert held(ours).remote_rtcp == ("192.0.2.10", 40_009)


def test_our_rtcp_is_named_where_it_is_not_above() -> None:
    """RFC 3605, in answers and in offers."""
    ours = negotiation(Local("198.51.100.7", 30_000, 30_000))

    assert "a=rtcp:30000" in answered(ours, *PHONE)
    assert b"a=rtcp:30000\r\n" in ours.offer().write()


def test_we_call() -> None:
    """Our offer has all that we speak; the answer chooses."""
    ours = negotiation()
    offer = read(ours.offer().write())
    assert ours.agreement is None

    agreement = ours.accept(
        read(sdp("m=audio 40000 RTP/AVP 8 96", "a=rtpmap:96 telephone-event/8000", "a=ptime:30"))
    )

    assert offer.media[0].formats == ("0", "8", "101")
    assert offer.media[0].has("rtcp-mux")
    assert agreement is held(ours)
    assert (agreement.format, agreement.payload_type, agreement.ptime_ms) == (ALAW_8K, 8, 30)
    assert agreement.events == 96
    assert agreement.payloads.events == {96, 101}
    assert agreement.remote_rtcp == ("192.0.2.10", 40_001)


def test_two_of_us_agree() -> None:
    """Both ends of the protocol, tied together."""
    caller, called = negotiation(), Negotiation(Local("192.0.2.10", 40_000), 1)

    caller.accept(read(called.answer(read(caller.offer().write())).write()))

    assert held(caller).remote == ("192.0.2.10", 40_000)
    assert held(called).remote == ("198.51.100.7", 30_000)
    assert held(caller).outgoing == held(called).outgoing
    assert held(caller).remote_rtcp == held(caller).remote


def test_our_next_offer_keeps_places_and_numbers() -> None:
    """M-lines stay where they were, a number means what it meant (RFC 3264 section 8)."""
    ours = negotiation()
    answered(
        ours,
        "m=video 40002 RTP/AVP 31",
        "m=audio 40000 RTP/AVP 97 96",
        "a=rtpmap:97 PCMA/8000",
        "a=rtpmap:96 telephone-event/8000",
    )

    offer = ours.offer(Direction.SENDONLY)

    assert [media.port for media in offer.media] == [0, 30_000]
    assert offer.media[1].formats == ("97", "0", "96")
    assert offer.media[1].has("sendonly")
    assert offer.origin.version == 1


def test_our_hold_is_answered() -> None:
    """We offer to send only; the other end receives."""
    ours = negotiation()
    answered(ours, *PHONE)
    ours.offer(Direction.SENDONLY)

    agreement = ours.accept(read(sdp(*PHONE, "a=recvonly")))

    assert agreement.direction is Direction.SENDONLY


@pytest.mark.parametrize("lines", [(), (*PHONE, "m=video 0 RTP/AVP 31")])
def test_an_answer_fits_its_offer(lines: tuple[str, ...]) -> None:
    """As many m-lines, or it is a breach."""
    ours = negotiation()
    ours.offer()

    with pytest.raises(SdpError) as refused:
        ours.accept(read(sdp(*lines)))

    assert refused.value.reason is Reason.UNASKED


@pytest.mark.parametrize(
    ("line", "refusal"),
    [
        ("m=audio 0 RTP/AVP 0", Refusal.NO_AUDIO),
        ("m=audio 4000 RTP/SAVP 0", Refusal.ENCRYPTED),
        ("m=audio 4000 RTP/AVP 18", Refusal.CODEC),
    ],
)
def test_an_answer_may_refuse(line: str, refusal: Refusal) -> None:
    """Then there is no call, or the one there was."""
    ours = negotiation()
    ours.offer()

    with pytest.raises(NotAcceptable) as refused:
        ours.accept(read(sdp(line)))

    assert refused.value.refusal is refusal
    assert ours.agreement is None


def test_an_answer_to_nothing() -> None:
    """Also after our offer was refused."""
    ours = negotiation()
    ours.offer()
    ours.withdraw()

    with pytest.raises(SdpError):
        ours.accept(read(sdp(*PHONE)))


def test_an_offer_of_ice_is_answered_without() -> None:
    """The other end then uses the addresses of its c= and m= lines (RFC 8839 section 4.2.5)."""
    lines = answered(
        negotiation(),
        *PHONE,
        "a=ice-ufrag:8hhY",
        "a=ice-pwd:asd88fgpdd777uzjYhagZg",
        "a=candidate:1 1 UDP 2130706431 10.0.1.1 8998 typ host",
    )

    assert not any("ice" in line or "candidate" in line for line in lines)


def test_a_description_survives_the_wire() -> None:
    """What we say is what is read."""
    offer: Description = negotiation().offer()

    assert read(offer.write()) == offer
