"""
RTCP packets, read and written (RFC 3550 section 6).

Rule: a reader tells what it knows and reads past what it does not (APP, feedback, extended
reports); nothing but RtpError leaves it, and a compound packet is read as a whole or not.
"""

from __future__ import annotations

import struct
from collections.abc import Iterable
from dataclasses import dataclass, field

from bridge.wire.rtp.faults import Reason, RtpError

__all__ = [
    "MAX_SIZE",
    "Bye",
    "ReceiverReport",
    "Report",
    "Rtcp",
    "SenderInfo",
    "SenderReport",
    "SourceDescription",
    "read",
    "write",
]

MAX_SIZE = 2048  # bytes

_HEADER = struct.Struct(">BBH")
_WORD = struct.Struct(">I")
_INFO = struct.Struct(">QIII")
_BLOCK = struct.Struct(">IIIIII")
_VERSION, _PADDING, _COUNT = 0x80, 0x20, 0x1F
_SENDER, _RECEIVER, _DESCRIPTION, _BYE = 200, 201, 202, 203
_CNAME = 1
_MAX_TEXT = 255
_MAX_COUNT = 31
_SIGN = 0x800000


@dataclass(frozen=True, slots=True)
class Report:
    """How one source is received."""

    ssrc: int
    fraction_lost: int
    """In 1/256, since the last report."""
    lost: int
    """Packets since the start; below 0 when there were duplicates."""
    highest: int
    """The highest sequence number, with the number of its cycles in the upper half."""
    jitter: int
    """In units of RTP's clock."""
    last_report: int = 0
    """The middle 32 bits of the last sender report's NTP time; 0: there was none."""
    since_last_report: int = 0
    """In 1/65536 seconds."""


@dataclass(frozen=True, slots=True)
class SenderInfo:
    """`ntp` is 32.32 bits of seconds, `timestamp` the same moment by RTP's clock."""

    ntp: int
    timestamp: int
    packets: int
    octets: int


@dataclass(frozen=True, slots=True)
class SenderReport:
    ssrc: int
    info: SenderInfo
    reports: tuple[Report, ...] = ()


@dataclass(frozen=True, slots=True)
class ReceiverReport:
    ssrc: int
    reports: tuple[Report, ...] = ()


@dataclass(frozen=True, slots=True)
class SourceDescription:
    """The names that sources have by CNAME; other items are read past."""

    names: tuple[tuple[int, str], ...] = field(repr=False)


@dataclass(frozen=True, slots=True)
class Bye:
    sources: tuple[int, ...]
    why: str = field(default="", repr=False)


Rtcp = SenderReport | ReceiverReport | SourceDescription | Bye


def read(data: bytes) -> list[Rtcp]:
    """What a compound packet says, in its order. Raises RtpError."""
    if len(data) > MAX_SIZE:
        raise RtpError(Reason.HUGE)
    if len(data) < _HEADER.size + _WORD.size:
        raise RtpError(Reason.SHORT)
    if data[1] not in (_SENDER, _RECEIVER):
        raise RtpError(Reason.KIND)  # reports come first in every compound packet
    packets: list[Rtcp] = []
    start = 0
    while start < len(data):
        if start + _HEADER.size > len(data):
            raise RtpError(Reason.LENGTH)
        first, kind, words = _HEADER.unpack_from(data, start)
        if first & 0xC0 != _VERSION:
            raise RtpError(Reason.VERSION)
        end = start + (words + 1) * _WORD.size
        if end > len(data):
            raise RtpError(Reason.LENGTH)
        body = data[start + _HEADER.size : end]
        if first & _PADDING:
            body = _unpadded(body, last=end == len(data))
        packet = _read_packet(kind, first & _COUNT, body)
        if packet is not None:
            packets.append(packet)
        start = end
    return packets


def write(packets: Iterable[Rtcp]) -> bytes:
    """A compound packet; a report has to be the first. At most 31 of each in one."""
    return b"".join(_write_packet(packet) for packet in packets)


def _unpadded(body: bytes, *, last: bool) -> bytes:
    padding = body[-1] if body else 0
    if not last or padding == 0 or padding % _WORD.size or padding > len(body):
        raise RtpError(Reason.PADDING)
    return body[:-padding]


def _read_packet(kind: int, count: int, body: bytes) -> Rtcp | None:
    match kind:
        case 200:
            _check(body, _WORD.size + _INFO.size + count * _BLOCK.size)
            info = SenderInfo(*_INFO.unpack_from(body, _WORD.size))
            reports = _read_reports(body, _WORD.size + _INFO.size, count)
            return SenderReport(_word(body, 0), info, reports)
        case 201:
            _check(body, _WORD.size + count * _BLOCK.size)
            return ReceiverReport(_word(body, 0), _read_reports(body, _WORD.size, count))
        case 202:
            return SourceDescription(_read_names(body, count))
        case 203:
            return _read_bye(body, count)
        case _:
            return None


def _check(body: bytes, size: int) -> None:
    if len(body) < size:
        raise RtpError(Reason.LENGTH)


def _word(body: bytes, start: int) -> int:
    return int.from_bytes(body[start : start + _WORD.size], "big")


def _read_reports(body: bytes, start: int, count: int) -> tuple[Report, ...]:
    return tuple(_read_report(body, start + number * _BLOCK.size) for number in range(count))


def _read_report(body: bytes, start: int) -> Report:
    ssrc, loss, highest, jitter, last, since = _BLOCK.unpack_from(body, start)
    lost = (loss & 0xFFFFFF ^ _SIGN) - _SIGN  # 24 bits with a sign
    return Report(ssrc, loss >> 24, lost, highest, jitter, last, since)


def _read_names(body: bytes, count: int) -> tuple[tuple[int, str], ...]:
    names: list[tuple[int, str]] = []
    start = 0
    for _ in range(count):
        _check(body, start + _WORD.size)
        ssrc = _word(body, start)
        start += _WORD.size
        while True:
            _check(body, start + 1)
            item = body[start]
            if item == 0:
                break
            _check(body, start + 2)
            end = start + 2 + body[start + 1]
            _check(body, end)
            if item == _CNAME:
                names.append((ssrc, _text(body[start + 2 : end])))
            start = end
        start += _WORD.size - start % _WORD.size  # zeros up to the next word
    return tuple(names)


def _read_bye(body: bytes, count: int) -> Bye:
    end = count * _WORD.size
    _check(body, end)
    sources = tuple(_word(body, start) for start in range(0, end, _WORD.size))
    if len(body) == end:
        return Bye(sources)
    _check(body, end + 1 + body[end])
    return Bye(sources, _text(body[end + 1 : end + 1 + body[end]]))


def _text(data: bytes) -> str:
    try:
        return data.decode()
    except UnicodeDecodeError:
        raise RtpError(Reason.TEXT) from None


def _write_packet(packet: Rtcp) -> bytes:
    match packet:
        case SenderReport(ssrc, info, reports):
            head = _INFO.pack(info.ntp, info.timestamp, info.packets, info.octets)
            body = _WORD.pack(ssrc) + head + _write_reports(reports)
            return _framed(_SENDER, len(reports), body)
        case ReceiverReport(ssrc, reports):
            body = _WORD.pack(ssrc) + _write_reports(reports)
            return _framed(_RECEIVER, len(reports), body)
        case SourceDescription(names):
            body = b"".join(_write_name(ssrc, name) for ssrc, name in names)
            return _framed(_DESCRIPTION, len(names), body)
        case Bye(sources, why):
            body = b"".join(map(_WORD.pack, sources))
            if why:
                body += _padded(_short(why))
            return _framed(_BYE, len(sources), body)


def _framed(kind: int, count: int, body: bytes) -> bytes:
    if count > _MAX_COUNT:
        raise ValueError("an RTCP packet holds 31 of a kind at most")
    return _HEADER.pack(_VERSION | count, kind, len(body) // _WORD.size) + body


def _write_reports(reports: Iterable[Report]) -> bytes:
    return b"".join(
        _BLOCK.pack(
            report.ssrc,
            report.fraction_lost << 24 | report.lost & 0xFFFFFF,
            report.highest & 0xFFFFFFFF,
            report.jitter,
            report.last_report,
            report.since_last_report,
        )
        for report in reports
    )


def _write_name(ssrc: int, name: str) -> bytes:
    item = bytes((_CNAME,)) + _short(name) + b"\x00"
    return _WORD.pack(ssrc) + _padded(item)


def _short(text: str) -> bytes:
    data = text.encode()[:_MAX_TEXT]
    return bytes((len(data),)) + data


def _padded(data: bytes) -> bytes:
    return data + bytes(-len(data) % _WORD.size)
