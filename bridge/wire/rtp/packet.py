"""One RTP packet, read and written (RFC 3550 section 5.1)."""

from __future__ import annotations

import struct
from typing import NamedTuple

from bridge.wire.rtp.faults import Reason, RtpError

__all__ = ["HEADER_SIZE", "MAX_SIZE", "Packet", "is_rtcp", "read", "write"]

HEADER_SIZE = 12  # bytes
MAX_SIZE = 2048  # bytes; 60 ms of G.711 take 492, and an Ethernet frame carries 1472

_HEADER = struct.Struct(">BBHII")
_EXTENSION = struct.Struct(">xxH")
_VERSION = 0x80
_PADDING, _EXTENDED, _SOURCES = 0x20, 0x10, 0x0F
_MARKER = 0x80
_WORD = 4  # bytes


class Packet(NamedTuple):
    """What is of use in a packet; contributing sources and extensions are read past."""

    payload_type: int
    marker: bool
    sequence: int
    """16 bits."""
    timestamp: int
    """32 bits."""
    ssrc: int
    payload: bytes


def is_rtcp(data: bytes) -> bool:
    """Whether a datagram of a shared port is RTCP (RFC 5761 section 4)."""
    return len(data) > 1 and 192 <= data[1] <= 223


def read(data: bytes) -> Packet:
    """Raises RtpError."""
    size = len(data)
    if size < HEADER_SIZE:
        raise RtpError(Reason.SHORT)
    if size > MAX_SIZE:
        raise RtpError(Reason.HUGE)
    first, second, sequence, timestamp, ssrc = _HEADER.unpack_from(data)
    if first == _VERSION:  # nothing but the header, as almost always
        payload = data[HEADER_SIZE:]
    elif first & 0xC0 == _VERSION:
        payload = _payload(data, first)
    else:
        raise RtpError(Reason.VERSION)
    return Packet(second & 0x7F, second >= _MARKER, sequence, timestamp, ssrc, payload)


def write(
    payload_type: int,
    sequence: int,
    timestamp: int,
    ssrc: int,
    payload: bytes,
    *,
    marker: bool = False,
) -> bytes:
    """A packet without extras. The numbers have to fit: 7, 16, 32 and 32 bits."""
    second = payload_type | _MARKER if marker else payload_type
    return _HEADER.pack(_VERSION, second, sequence, timestamp, ssrc) + payload


def _payload(data: bytes, first: int) -> bytes:
    start = HEADER_SIZE + (first & _SOURCES) * _WORD
    end = len(data)
    if first & _EXTENDED:
        if start + _WORD > end:
            raise RtpError(Reason.LENGTH)
        (words,) = _EXTENSION.unpack_from(data, start)
        start += _WORD + words * _WORD
    if first & _PADDING:
        padding = data[-1]
        if padding == 0:
            raise RtpError(Reason.PADDING)
        end -= padding
    if start > end:
        raise RtpError(Reason.LENGTH)
    return data[start:end]
