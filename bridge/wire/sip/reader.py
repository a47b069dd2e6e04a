"""
Bytes of the network → SIP messages.

Rule: whatever the bytes are, the outcome is a message with all the headers that every
message needs, or an Unreadable that says how its sender is answered, if it can be. The
bytes are never repeated in an error.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from bridge.wire.sip.faults import Reason, SipProtocolError
from bridge.wire.sip.grammar import is_token, number
from bridge.wire.sip.headers import Address
from bridge.wire.sip.messages import Headers, Message, Request, Response, full_name
from bridge.wire.sip.uris import Uri

__all__ = ["Limits", "Unreadable", "content_length", "read"]

_STATUS_LINE = re.compile(r"SIP/2\.0 ([1-6][0-9]{2})(?: (.*))?", re.IGNORECASE)
_VERSION = re.compile(r"SIP/[0-9]+\.[0-9]+", re.IGNORECASE)
_ONCE = ("Call-ID", "CSeq", "From", "To")
_AT_MOST_ONCE = ("Max-Forwards", "Content-Type", "Expires", "Event", "Session-Expires", "Min-SE")


@dataclass(frozen=True, slots=True)
class Limits:
    """What a message may weigh. Sizes in bytes."""

    message: int = 65_535
    headers: int = 128
    line: int = 8_192


class Unreadable(SipProtocolError):
    """
    A message that cannot be read. `request` is what can be answered of it, with `status`;
    None: nobody is told anything.
    """

    def __init__(self, reason: Reason, status: int = 400, request: Request | None = None) -> None:
        super().__init__(reason, status)
        self.request = request


@dataclass(slots=True)
class _Draft:
    """What has been read, and the first thing that was wrong with it."""

    headers: Headers = ()
    fault: SipProtocolError | None = None

    def blame(self, reason: Reason, status: int = 400) -> None:
        self.fault = self.fault or SipProtocolError(reason, status)


def read(data: bytes, limits: Limits = Limits()) -> Message:
    """One message: a datagram, or what `framing` cut out of a stream. Raises Unreadable."""
    data = data.lstrip(b"\r\n")
    if not data:
        raise Unreadable(Reason.EMPTY)
    if len(data) > limits.message:
        raise Unreadable(Reason.HUGE)
    head, blank, body = data.partition(b"\r\n\r\n")
    start, *lines = head.decode("utf-8", "surrogateescape").split("\r\n")
    draft = _Draft()
    draft.headers = _read_headers(lines, draft, limits)
    if not blank:
        draft.blame(Reason.LENGTH)
    body = _cut(body, draft)
    if start[:4].upper() == "SIP/":
        return _read_response(start, body, draft)
    return _read_request(start, body, draft)


def content_length(values: list[str]) -> int | None:
    """What Content-Length says; copies must agree. None: it says nothing."""
    lengths = {number(value, Reason.LENGTH) for value in values}
    if len(lengths) > 1:
        raise SipProtocolError(Reason.LENGTH)
    return lengths.pop() if lengths else None


def _read_headers(lines: list[str], draft: _Draft, limits: Limits) -> Headers:
    headers: list[tuple[str, str]] = []
    for line in _unfold(lines):
        if len(headers) >= limits.headers:
            draft.blame(Reason.TOO_MANY_HEADERS)
            break
        name, colon, value = line.partition(":")
        name = name.rstrip(" \t")
        # A single CR or LF would become a line of its own in an answer that repeats it.
        broken = "\r" in value or "\n" in value or len(line) > limits.line
        if not colon or not is_token(name) or broken:
            draft.blame(Reason.HEADER)
        else:
            headers.append((full_name(name), value.strip(" \t")))
    return tuple(headers)


def _unfold(lines: list[str]) -> list[str]:
    unfolded: list[list[str]] = []
    for line in lines:
        if line[:1] in (" ", "\t") and unfolded:
            unfolded[-1].append(line.strip(" \t"))
        else:
            unfolded.append([line])
    return [" ".join(parts) for parts in unfolded]


def _cut(body: bytes, draft: _Draft) -> bytes:
    lengths = [value for name, value in draft.headers if name == "Content-Length"]
    draft.headers = tuple(pair for pair in draft.headers if pair[0] != "Content-Length")
    try:
        length = content_length(lengths)
    except SipProtocolError as fault:
        draft.fault = draft.fault or fault
        return b""
    if length is None:
        return body
    if length > len(body):
        draft.blame(Reason.LENGTH)
    return body[:length]  # what a datagram holds beyond is not ours (RFC 3261 section 18.3)


def _read_response(start: str, body: bytes, draft: _Draft) -> Response:
    match = _STATUS_LINE.fullmatch(start)
    if match is None:
        raise Unreadable(Reason.START_LINE)
    response = Response(int(match[1]), match[2] or "", draft.headers, body)
    try:
        _check(response, draft)
    except SipProtocolError as fault:
        raise Unreadable(fault.reason) from None
    return response


def _read_request(start: str, body: bytes, draft: _Draft) -> Request:
    method, uri, *rest = [*start.split(" "), "", ""]
    version = rest[0] if rest else ""
    plain = len(start.split(" ")) == 3 and is_token(method) and uri != ""
    if not plain or "\r" in start or "\n" in start:
        draft.fault = SipProtocolError(Reason.START_LINE)
    elif version.upper() != "SIP/2.0":
        known = _VERSION.fullmatch(version) is not None
        status = 505 if known else 400
        draft.fault = SipProtocolError(Reason.VERSION if known else Reason.START_LINE, status)
    request = Request(method, uri, draft.headers, body)
    try:
        _check(request, draft)
        Uri.read(uri)
        _check_method(request)
    except SipProtocolError as fault:
        raise _unreadable(request, fault) from None
    return request


def _check_method(request: Request) -> None:
    if request.cseq.method != request.method:
        raise SipProtocolError(Reason.CSEQ)


def _check(message: Message, draft: _Draft) -> None:
    """Raises the first thing that is wrong with a message."""
    if draft.fault is not None:
        raise draft.fault
    for name in _ONCE:
        count = len(message.all(name))
        if count != 1 or not message.first(name):
            raise SipProtocolError(Reason.MISSING if count < 1 else Reason.REPEATED)
    if not message.all("Via"):
        raise SipProtocolError(Reason.MISSING)
    if any(len(message.all(name)) > 1 for name in _AT_MOST_ONCE):
        raise SipProtocolError(Reason.REPEATED)
    if "" in (part.strip() for value in message.all("Via") for part in value.split(",")):
        raise SipProtocolError(Reason.VIA)
    _ = message.via, message.cseq, message.sender, message.recipient, message.contact
    for name in ("Route", "Record-Route"):
        for value in message.listed(name, Reason.ADDRESS):
            Address.read(value)
    if (hops := message.first("Max-Forwards")) is not None:
        number(hops, Reason.HEADER, 255)


def _unreadable(request: Request, fault: SipProtocolError) -> Unreadable:
    """With the answer, if the sender said where it goes and which request it answers."""
    try:
        _ = request.via
    except (SipProtocolError, IndexError):
        return Unreadable(fault.reason)
    acknowledges = "ACK" in (request.method, (request.first("CSeq") or "").upper()[-3:])
    if acknowledges or not is_token(request.method):
        return Unreadable(fault.reason)
    return Unreadable(fault.reason, fault.status, request)
