"""What a request must be for us to look at what it wants (RFC 3261 section 8.2)."""

from __future__ import annotations

from bridge.wire.sip.faults import SipProtocolError
from bridge.wire.sip.messages import SDP, Request, Response
from bridge.wire.sip.responses import ALLOWED, EXTENSIONS, refuse, respond
from bridge.wire.sip.session_timer import SHORTEST, agree
from bridge.wire.sip.uris import Uri

__all__ = ["screen"]

_SCHEMES = ("sip", "sips", "tel")
_WITH_SESSION = ("INVITE", "UPDATE")


def screen(request: Request) -> Response | None:
    """The refusal of what no call can make sense of; None: go on."""
    if request.method not in ALLOWED:
        return refuse(request, 405)
    if Uri.read(request.uri).scheme not in _SCHEMES:
        return refuse(request, 416)
    if any(word not in EXTENSIONS for word in request.words("Require")):
        return refuse(request, 420)
    if any(word != "identity" for word in request.words("Content-Encoding")):
        return refuse(request, 415)
    return _screen_session(request) if request.method in _WITH_SESSION else None


def _screen_session(request: Request) -> Response | None:
    if request.contact is None:
        return refuse(request, 400)
    if request.content is not None and request.content.type != SDP:
        return refuse(request, 415)
    try:
        agree(request)
    except SipProtocolError as fault:
        if fault.status == 422:
            return respond(request, 422, headers=(("Min-SE", str(SHORTEST)),))
        return refuse(request, fault.status)
    return None
