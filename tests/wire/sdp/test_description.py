"""Session descriptions as values, and their bytes."""

from __future__ import annotations

from bridge.wire.sdp.description import Description, Media, Origin, values
from bridge.wire.sdp.reader import read

AUDIO = Media(
    "audio",
    4000,
    "RTP/AVP",
    ("0", "101"),
    "2001:db8::2",
    (("rtpmap", "0 PCMU/8000"), ("rtcp-mux", None), ("sendrecv", None)),
)
DESCRIPTION = Description(
    Origin(77, 2, "192.0.2.1"), "192.0.2.1", (AUDIO,), (("recvonly", None),), "a call"
)


def test_is_written_line_by_line() -> None:
    """In the order of RFC 8866, each line with its CRLF."""
    assert DESCRIPTION.write() == (
        b"v=0\r\no=- 77 2 IN IP4 192.0.2.1\r\ns=a call\r\nc=IN IP4 192.0.2.1\r\nt=0 0\r\n"
        b"a=recvonly\r\nm=audio 4000 RTP/AVP 0 101\r\nc=IN IP6 2001:db8::2\r\n"
        b"a=rtpmap:0 PCMU/8000\r\na=rtcp-mux\r\na=sendrecv\r\n"
    )


def test_what_is_written_is_read() -> None:
    """Both ends of the dictionary agree."""
    assert read(DESCRIPTION.write()) == DESCRIPTION


def test_an_attribute_is_found_by_its_name() -> None:
    """With its value, or "" where it has none."""
    assert AUDIO.first("rtpmap") == "0 PCMU/8000"
    assert AUDIO.has("rtcp-mux")
    assert AUDIO.first("rtcp-mux") == ""
    assert not AUDIO.has("rtcp")
    assert list(values(AUDIO.attributes, "sendrecv")) == [""]


def test_addresses_are_not_printed() -> None:
    """A caller's address stays out of logs."""
    assert "192.0.2.1" not in repr(DESCRIPTION)
