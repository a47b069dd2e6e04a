"""RTP packets, byte by byte."""

from __future__ import annotations

import os

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bridge.wire.rtp.faults import Reason, RtpError
from bridge.wire.rtp.packet import MAX_SIZE, Packet, is_rtcp, read, write

EXAMPLES = int(os.environ.get("RTP_EXAMPLES", "60"))

HEADER = bytes.fromhex("80 00 0102 03040506 0708090a")


def with_first(first: int, rest: bytes = b"") -> bytes:
    return bytes((first,)) + HEADER[1:] + rest


def test_a_packet_of_audio() -> None:
    """The header's fields are where section 5.1 draws them."""
    packet = read(bytes.fromhex("80 88 fffe 00000140 deadbeef") + b"audio")

    assert packet == Packet(8, True, 0xFFFE, 0x140, 0xDEADBEEF, b"audio")


def test_extras_are_read_past() -> None:
    """Two contributing sources, an extension of one word, and three bytes of padding."""
    data = with_first(0xB2, b"srcAsrcB" + b"\xbe\xde\x00\x01word" + b"audio" + b"\x00\x00\x03")

    assert read(data).payload == b"audio"


def test_padding_alone() -> None:
    """Some send it to keep a path open: a packet of nothing."""
    assert read(with_first(0xA0, b"\x00\x00\x00\x04")).payload == b""


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (HEADER[:11], Reason.SHORT),
        (b"", Reason.SHORT),
        (HEADER + bytes(MAX_SIZE), Reason.HUGE),
        (with_first(0x00), Reason.VERSION),
        (with_first(0x40), Reason.VERSION),
        (with_first(0xC0), Reason.VERSION),
        (with_first(0x8F, b"1234"), Reason.LENGTH),
        (with_first(0x90, b"12"), Reason.LENGTH),
        (with_first(0x90, b"\xbe\xde\x00\x02word"), Reason.LENGTH),
        (with_first(0xA0, b"x\x00"), Reason.PADDING),
        (with_first(0xA0, b"x\x09"), Reason.LENGTH),
    ],
)
def test_refuses(data: bytes, reason: Reason) -> None:
    """With one word."""
    with pytest.raises(RtpError) as refused:
        read(data)

    assert refused.value.reason is reason


@given(
    payload_type=st.integers(0, 127),
    sequence=st.integers(0, 0xFFFF),
    timestamp=st.integers(0, 0xFFFFFFFF),
    ssrc=st.integers(0, 0xFFFFFFFF),
    payload=st.binary(max_size=500),
    marker=st.booleans(),
)
@settings(max_examples=EXAMPLES)
def test_what_is_written_is_read(
    payload_type: int, sequence: int, timestamp: int, ssrc: int, payload: bytes, marker: bool
) -> None:
    """Both ends of the dictionary agree."""
    data = write(payload_type, sequence, timestamp, ssrc, payload, marker=marker)

    assert read(data) == Packet(payload_type, marker, sequence, timestamp, ssrc, payload)


@given(st.one_of(st.binary(max_size=80), st.binary(max_size=40).map(lambda b: b"\xb1" + b)))
@settings(max_examples=EXAMPLES)
def test_whatever_comes_is_read_or_refused(data: bytes) -> None:
    """With our own error."""
    try:
        packet = read(data)
    except RtpError:
        return

    assert len(packet.payload) <= len(data) - 12


def test_rtcp_on_the_same_port() -> None:
    """Is told apart by its second byte (RFC 5761)."""
    assert is_rtcp(bytes.fromhex("80c90001"))
    assert not is_rtcp(HEADER)
    assert not is_rtcp(bytes.fromhex("80e0"))  # payload type 96 with a marker
    assert not is_rtcp(b"\x80")
