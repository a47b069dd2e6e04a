"""
Where answers go, and where requests go, past address translators (RFC 3261 section 18.2,
RFC 3581). What a peer says of its own address counts less than where its messages come from.
"""

from __future__ import annotations

import ipaddress
from dataclasses import replace

from bridge.wire.sip.messages import Request, Response
from bridge.wire.sip.places import Place, Transport
from bridge.wire.sip.uris import Uri

__all__ = ["is_private", "next_hop", "place_of", "received", "reply_place"]


def received(request: Request, source: Place) -> Request:
    """The request with the place it came from in its topmost Via."""
    via = request.via
    if via.host != source.host or via.parameter("rport") is not None:
        via = via.with_parameter("received", source.host)
    if via.parameter("rport") is not None:
        via = via.with_parameter("rport", str(source.port))
    return request.with_top(via)


def reply_place(response: Response | Request, source: Place) -> Place:
    """
    Where the answer to a request goes that came from `source`: by the same connection, or
    to the port that was asked for. The host is where it came from, whatever Via says (maddr
    is not followed, or anybody could make us send to anybody).
    """
    if source.transport.reliable:
        return source
    via = response.via
    if via.parameter("rport") is not None:
        return source
    return replace(source, port=via.port or source.transport.port)


def place_of(uri: Uri) -> Place:
    """Where a request for a URI goes; the host may be a name that somebody has to resolve."""
    named = (uri.parameter("transport") or "").upper()
    transport = Transport.TLS if uri.scheme == "sips" else Transport.UDP
    if named in ("TCP", "TLS") and transport is not Transport.TLS:
        transport = Transport(named)
    return Place(transport, uri.parameter("maddr") or uri.host, uri.port or transport.port)


def next_hop(uri: Uri, source: Place | None, *, routed: bool = False) -> Place:
    """
    Where a request within a dialog goes. `uri` is the first route (`routed`) or else the
    peer's Contact, `source` where the peer's messages come from. A Contact behind an address
    translator names a private address that leads nowhere from here; a stream that is open
    already leads to its peer.
    """
    place = place_of(uri)
    if source is None:
        return place
    same = place.host == source.host and place.transport is source.transport
    if same and source.transport.reliable:
        return source
    if not uri.is_sip or (not routed and _unreachable(place.host, source.host)):
        return source
    return place


def is_private(host: str) -> bool:
    """Whether a host is an address that does not lead here over the Internet."""
    try:
        return not ipaddress.ip_address(host).is_global
    except ValueError:
        return False


def _unreachable(host: str, source: str) -> bool:
    return host != source and is_private(host) and not is_private(source)
