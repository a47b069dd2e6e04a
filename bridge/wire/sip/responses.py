"""Responses to requests (RFC 3261 sections 8.2.6 and 21)."""

from __future__ import annotations

import hashlib

from bridge.wire.sip.faults import SipProtocolError
from bridge.wire.sip.headers import Address
from bridge.wire.sip.messages import Body, Headers, Request, Response

__all__ = ["ALLOW", "ALLOWED", "EXTENSIONS", "refuse", "respond", "stable_tag"]

ALLOWED = ("INVITE", "ACK", "CANCEL", "BYE", "OPTIONS", "INFO", "UPDATE", "NOTIFY", "REFER")
"""What we understand, of which REFER is always declined."""
ALLOW = ("Allow", ", ".join(ALLOWED))
EXTENSIONS = ("timer",)
"""What a request may require of us."""

_PHRASES = {
    100: "Trying",
    180: "Ringing",
    183: "Session Progress",
    200: "OK",
    202: "Accepted",
    400: "Bad Request",
    401: "Unauthorized",
    403: "Forbidden",
    404: "Not Found",
    405: "Method Not Allowed",
    407: "Proxy Authentication Required",
    408: "Request Timeout",
    413: "Request Entity Too Large",
    415: "Unsupported Media Type",
    416: "Unsupported URI Scheme",
    420: "Bad Extension",
    422: "Session Interval Too Small",
    480: "Temporarily Unavailable",
    481: "Call/Transaction Does Not Exist",
    482: "Loop Detected",
    483: "Too Many Hops",
    486: "Busy Here",
    487: "Request Terminated",
    488: "Not Acceptable Here",
    491: "Request Pending",
    500: "Server Internal Error",
    501: "Not Implemented",
    503: "Service Unavailable",
    505: "Version Not Supported",
    513: "Message Too Large",
    600: "Busy Everywhere",
    603: "Decline",
}
_COPIED = ("Via", "From", "To", "Call-ID", "CSeq")


def respond(
    request: Request,
    status: int,
    *,
    tag: str | None = None,
    headers: Headers = (),
    body: Body | None = None,
) -> Response:
    """
    A response to a request. `tag` is our tag of To; without it the tag follows from the
    request, so that answers to a request and to its copies are the same.
    """
    copied = [pair for name in _COPIED for pair in request.headers if pair[0] == name]
    if status == 100:
        copied += [pair for pair in request.headers if pair[0] == "Timestamp"]
    else:
        copied = [_tagged(pair, tag or stable_tag(request)) for pair in copied]
    typed: Headers = () if body is None else (("Content-Type", body.type),)
    content = b"" if body is None else body.content
    phrase = _PHRASES.get(status, "Unknown")
    return Response(status, phrase, (*copied, *headers, *typed), content)


def refuse(request: Request, status: int, *, retry_after: int | None = None) -> Response:
    """A refusal with the headers that its status wants (405: Allow, 415: Accept, 420 …)."""
    headers: list[tuple[str, str]] = []
    match status:
        case 405 | 501:
            headers.append(ALLOW)
        case 415:
            headers += [("Accept", "application/sdp, application/dtmf-relay, application/dtmf")]
        case 420:
            unknown = [word for word in request.words("Require") if word not in EXTENSIONS]
            headers.append(("Unsupported", ", ".join(unknown)))
        case _:
            pass
    if retry_after is not None:
        headers.append(("Retry-After", str(retry_after)))
    return respond(request, status, headers=tuple(headers))


def stable_tag(request: Request) -> str:
    """A tag that is the same for a request and its copies (RFC 3261 section 8.2.7)."""
    named = [value for name, value in request.headers if name in ("From", "Call-ID", "CSeq")]
    text = "\n".join([*named, *request.all("Via")])
    return hashlib.sha256(text.encode("utf-8", "surrogateescape")).hexdigest()[:16]


def _tagged(pair: tuple[str, str], tag: str) -> tuple[str, str]:
    if pair[0] != "To":
        return pair
    try:
        address = Address.read(pair[1])
    except SipProtocolError:
        return pair
    return pair if address.tag is not None else ("To", f"{pair[1]};tag={tag}")
