"""Session descriptions, read."""

from __future__ import annotations

import os

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from bridge.wire.sdp.description import Description
from bridge.wire.sdp.faults import NotAcceptable, Reason, SdpError
from bridge.wire.sdp.offer_answer import Negotiation
from bridge.wire.sdp.reader import MAX_FORMATS, MAX_LINES, MAX_MEDIA, MAX_SIZE, read, read_address
from tests.wire.sdp.examples import LOCAL, PHONE, RFC_8866, sdp

EXAMPLES = int(os.environ.get("SDP_EXAMPLES", "80"))


def test_reads_the_example_of_the_rfc() -> None:
    """Origin, session and media are where they belong."""
    description = read(RFC_8866)

    assert (description.origin.session_id, description.origin.version) == (3724394400, 3724394405)
    assert description.name == "Call to John Smith"
    assert description.address == "198.51.100.1"
    assert [media.port for media in description.media] == [49170, 49180, 51372]
    assert description.media[2].address == "2001:db8::2"
    assert description.media[2].first("rtpmap") == "99 h263-1998/90000"


def test_tolerates_what_telephones_write() -> None:
    """Lone line feeds, empty lines at the end, no name, no time, a reach, a count of ports."""
    text = b"v=0\no=- 0 0 IN IP4 192.0.2.1\nc=IN IP4 192.0.2.1/127\nm=audio 5000/2 RTP/AVP 0\n\n\n"

    description = read(text)

    assert description.address == "192.0.2.1"
    assert description.media[0].port == 5000


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (b"", Reason.VERSION),
        (b"v=1\r\n", Reason.VERSION),
        (b"o=- 1 1 IN IP4 192.0.2.1\r\nv=0\r\n", Reason.VERSION),
        (sdp("v=0"), Reason.VERSION),
        (b"v=0\r\ns=-\r\n", Reason.ORIGIN),
        (b"v=0\r\no=- 1 1 IN IP4\r\n", Reason.ORIGIN),
        (b"v=0\r\no=- x 1 IN IP4 192.0.2.1\r\n", Reason.ORIGIN),
        (b"v=0\r\no=- 1 99999999999999999999 IN IP4 192.0.2.1\r\n", Reason.ORIGIN),
        (sdp("o=- 1 1 IN IP4 192.0.2.1"), Reason.ORIGIN),
        (b"v=0\r\no=- 1 1 IN IP4 192.0.2.1\r\nm=audio 4 RTP/AVP 0\r\n", Reason.CONNECTION),
        (sdp("c=IN IP4 192.0.2.300"), Reason.CONNECTION),
        (sdp("c=IN IP4 2001:db8::1"), Reason.CONNECTION),
        (sdp("c=IN IP6 192.0.2.1"), Reason.CONNECTION),
        (sdp("c=ATM NSAP 47"), Reason.CONNECTION),
        (sdp("m=audio 70000 RTP/AVP 0"), Reason.MEDIA),
        (sdp("m=audio -1 RTP/AVP 0"), Reason.MEDIA),
        (sdp("m=audio 4000 RTP/AVP"), Reason.MEDIA),
        (sdp("m=audio ٤٠ RTP/AVP 0"), Reason.MEDIA),
        (sdp("m=audio 4000 RTP/AVP " + "0 " * (MAX_FORMATS + 1)), Reason.MEDIA),
        (sdp("t=now then"), Reason.TIME),
        (sdp("x=1"), Reason.LINE),
        (sdp("nonsense"), Reason.LINE),
        (sdp("a=\rb"), Reason.LINE),
        (sdp("a=:"), Reason.LINE),
        (sdp(*PHONE, "o=- 1 1 IN IP4 192.0.2.1"), Reason.LINE),
        (sdp("s=\0"), Reason.NOT_TEXT),
        (b"v=0\r\ns=\xff\r\n", Reason.NOT_TEXT),
        (sdp(*["a=x"] * MAX_LINES), Reason.TOO_MANY),
        (sdp(*["m=audio 4000 RTP/AVP 0"] * (MAX_MEDIA + 1)), Reason.TOO_MANY),
        (sdp("a=" + "x" * MAX_SIZE), Reason.HUGE),
    ],
)
def test_refuses(data: bytes, reason: Reason) -> None:
    """What is malformed is refused with one word, which repeats nothing of it."""
    with pytest.raises(SdpError) as refused:
        read(data)

    assert refused.value.reason is reason
    assert str(refused.value) == reason.value


def test_an_address_may_be_a_name() -> None:
    """A host by its name, and six in its shortest form."""
    assert read_address("IN IP4 media.example.com") == "media.example.com"
    assert read_address("IN IP6 2001:0DB8:0:0::1") == "2001:db8::1"


def mutated(data: bytes, cuts: list[tuple[int, int, bytes]]) -> bytes:
    for start, size, put in cuts:
        at = start % (len(data) + 1)
        data = data[:at] + put + data[at + size :]
    return data


BROWSER = sdp(
    "a=group:BUNDLE 0",
    "m=audio 9 UDP/TLS/RTP/SAVPF 111 0 8",
    "m=audio 4002 RTP/AVP 97 0 96",
    "c=IN IP4 0.0.0.0",
    "a=rtpmap:97 PCMU/8000/1",
    "a=rtpmap:96 telephone-event/8000",
    "a=rtcp:4003 IN IP4 192.0.2.9",
    "a=ptime:30",
    "a=maxptime:40",
    "a=rtcp-mux",
    "a=sendonly",
)
CUTS = st.lists(
    st.tuples(st.integers(0, 900), st.integers(0, 40), st.binary(max_size=6)), max_size=5
)


@settings(max_examples=EXAMPLES, deadline=None)
@given(data=st.one_of(st.binary(max_size=300), st.sampled_from([RFC_8866, BROWSER])), cuts=CUTS)
@example(data=BROWSER, cuts=[])
def test_whatever_comes_is_read_answered_or_refused(
    data: bytes, cuts: list[tuple[int, int, bytes]]
) -> None:
    """Nothing but our own two errors, and what is read and answered can be read again."""
    try:
        offer = read(mutated(data, cuts))
        answer = Negotiation(LOCAL, 1).answer(offer)
    except (SdpError, NotAcceptable):
        return

    assert isinstance(offer, Description)
    assert read(answer.write()) == answer
    assert len(answer.media) == len(offer.media)
