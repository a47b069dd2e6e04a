"""
Bytes of a SIP body → a session description (RFC 8866).

Rule: nothing but SdpError leaves this reader, and its text is one word of `Reason`. Lines
may end in a bare LF, and an s= or t= may be missing, as with many telephones; what is
there has to be well-formed.
"""

from __future__ import annotations

import ipaddress
import re
from dataclasses import dataclass, field

from bridge.wire.sdp.description import Attribute, Description, Media, Origin
from bridge.wire.sdp.faults import Reason, SdpError

__all__ = ["MAX_FORMATS", "MAX_LINES", "MAX_MEDIA", "MAX_SIZE", "read", "read_address"]

MAX_SIZE = 16 * 1024  # bytes; a browser's offer with all its candidates takes 6 KiB
MAX_LINES = 500
MAX_MEDIA = 16
MAX_FORMATS = 64

_MAX_PORT = 65_535
_MAX_NUMBER = 2**64 - 1
_SESSION_LINES = "vosiuepcbtrzka"
_MEDIA_LINES = "micbka"
_TOKEN = re.compile(r"[!#$%&'*+\-.^_`{|}~0-9A-Za-z]+")
_PROTOCOL = re.compile(r"[!-~]{1,64}")
_HOST = re.compile(r"[0-9A-Za-z](?:[0-9A-Za-z\-.]{0,252}[0-9A-Za-z])?\.?")
_DIGITS = re.compile(r"[0-9]{1,20}")


@dataclass(slots=True)
class _MediaDraft:
    kind: str
    port: int
    protocol: str
    formats: tuple[str, ...]
    address: str | None = None
    attributes: list[Attribute] = field(default_factory=list)

    def done(self) -> Media:
        attributes = tuple(self.attributes)
        return Media(self.kind, self.port, self.protocol, self.formats, self.address, attributes)


@dataclass(slots=True)
class _Draft:
    origin: Origin | None = None
    address: str | None = None
    name: str = "-"
    attributes: list[Attribute] = field(default_factory=list)
    media: list[_MediaDraft] = field(default_factory=list)

    def done(self) -> Description:
        if self.origin is None:
            raise SdpError(Reason.ORIGIN)
        if self.address is None and any(m.address is None and m.port for m in self.media):
            raise SdpError(Reason.CONNECTION)
        media = tuple(draft.done() for draft in self.media)
        return Description(self.origin, self.address, media, tuple(self.attributes), self.name)


def read(data: bytes) -> Description:
    """One description. Raises SdpError."""
    lines = _lines(data)
    if not lines or lines[0] != "v=0":
        raise SdpError(Reason.VERSION)
    draft = _Draft()
    for line in lines[1:]:
        if line[1:2] != "=":
            raise SdpError(Reason.LINE)
        _take(draft, line[0], line[2:])
    return draft.done()


def read_address(text: str) -> str:
    """`IN IP4 192.0.2.1` or `IN IP6 2001:db8::1` → the address, or the name of a host."""
    words = text.split()
    if len(words) != 3 or words[0] != "IN" or words[1] not in ("IP4", "IP6"):
        raise SdpError(Reason.CONNECTION)
    host = words[2].partition("/")[0]  # a multicast address has its reach behind it
    try:
        address = ipaddress.ip_address(host)
    except ValueError:
        # What is neither four numbers nor six is a name, unless it looks like numbers.
        if not _HOST.fullmatch(host) or host.replace(".", "").isdigit():
            raise SdpError(Reason.CONNECTION) from None
        return host
    if (address.version == 6) != (words[1] == "IP6"):
        raise SdpError(Reason.CONNECTION)
    return str(address)


def _lines(data: bytes) -> list[str]:
    if len(data) > MAX_SIZE:
        raise SdpError(Reason.HUGE)
    try:
        text = data.decode("utf-8")
    except UnicodeDecodeError:
        raise SdpError(Reason.NOT_TEXT) from None
    if "\0" in text:
        raise SdpError(Reason.NOT_TEXT)
    lines = [line.removesuffix("\r") for line in text.split("\n")]
    while lines and not lines[-1]:
        lines.pop()
    if any("\r" in line for line in lines):
        raise SdpError(Reason.LINE)
    if len(lines) > MAX_LINES:
        raise SdpError(Reason.TOO_MANY)
    return lines


def _take(draft: _Draft, letter: str, value: str) -> None:
    if letter == "m":
        if len(draft.media) >= MAX_MEDIA:
            raise SdpError(Reason.TOO_MANY)
        draft.media.append(_read_media(value))
        return
    part = draft.media[-1] if draft.media else draft
    if letter not in (_MEDIA_LINES if draft.media else _SESSION_LINES):
        raise SdpError(Reason.LINE)
    match letter:
        case "v":
            raise SdpError(Reason.VERSION)  # a second one
        case "o":
            if draft.origin is not None:
                raise SdpError(Reason.ORIGIN)
            draft.origin = _read_origin(value)
        case "s":
            draft.name = value
        case "c":
            part.address = read_address(value)
        case "t":
            _check_time(value)
        case "a":
            part.attributes.append(_read_attribute(value))


def _read_origin(value: str) -> Origin:
    words = value.split()
    if len(words) != 6:
        raise SdpError(Reason.ORIGIN)
    user, session_id, version = words[:3]
    try:
        address = read_address(" ".join(words[3:]))
    except SdpError:
        raise SdpError(Reason.ORIGIN) from None
    return Origin(_number(session_id), _number(version), address, user)


def _number(text: str) -> int:
    if not _DIGITS.fullmatch(text) or int(text) > _MAX_NUMBER:
        raise SdpError(Reason.ORIGIN)
    return int(text)


def _check_time(value: str) -> None:
    words = value.split()
    if len(words) != 2 or not all(_DIGITS.fullmatch(word) for word in words):
        raise SdpError(Reason.TIME)


def _read_media(value: str) -> _MediaDraft:
    words = value.split()
    if len(words) < 4 or len(words) - 3 > MAX_FORMATS:
        raise SdpError(Reason.MEDIA)
    kind, ports, protocol, *formats = words
    port, slash, count = ports.partition("/")
    numbers = (port, count) if slash else (port,)
    if not all(number.isascii() and number.isdigit() and len(number) <= 5 for number in numbers):
        raise SdpError(Reason.MEDIA)
    if int(port) > _MAX_PORT or not _TOKEN.fullmatch(kind) or not _PROTOCOL.fullmatch(protocol):
        raise SdpError(Reason.MEDIA)
    if not all(map(_TOKEN.fullmatch, formats)) and protocol.startswith("RTP/"):
        raise SdpError(Reason.MEDIA)
    return _MediaDraft(kind, int(port), protocol, tuple(formats))


def _read_attribute(value: str) -> Attribute:
    name, colon, rest = value.partition(":")
    if not _TOKEN.fullmatch(name):
        raise SdpError(Reason.LINE)
    return name, rest if colon else None
