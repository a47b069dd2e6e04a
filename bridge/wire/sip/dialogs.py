"""Dialogs (RFC 3261 section 12): who talks to whom, in which order and by which way."""

from __future__ import annotations

from dataclasses import replace

from bridge.wire.sip.headers import Address
from bridge.wire.sip.identity import Identity
from bridge.wire.sip.messages import Body, Headers, Message, Request, Response
from bridge.wire.sip.nat import next_hop
from bridge.wire.sip.places import Place, Transport
from bridge.wire.sip.responses import ALLOW, respond
from bridge.wire.sip.uris import Uri

__all__ = ["Dialog", "reissue"]

_HOPS = ("Max-Forwards", "70")


class Dialog:
    """One end of a dialog: ours."""

    def __init__(
        self,
        identity: Identity,
        *,
        call_id: str,
        local: str,
        remote: str,
        target: Uri,
        routes: list[str],
        source: Place | None,
        local_cseq: int = 0,
        remote_cseq: int | None = None,
    ) -> None:
        self._identity = identity
        self.call_id = call_id
        self.local = local
        self.remote = remote
        self.target = target
        self._routes = routes
        self._source = source
        self._local_cseq = local_cseq
        self._remote_cseq = remote_cseq

    @classmethod
    def as_callee(cls, identity: Identity, invite: Request, source: Place, tag: str) -> Dialog:
        contact = invite.contact
        return cls(
            identity,
            call_id=invite.call_id,
            local=f"{invite.first('To')};tag={tag}",
            remote=invite.first("From") or "",
            target=contact.uri if contact else invite.sender.uri,
            routes=invite.listed("Record-Route"),
            source=source,
            remote_cseq=invite.cseq.number,
        )

    @classmethod
    def as_caller(
        cls, identity: Identity, invite: Request, response: Response, source: Place
    ) -> Dialog:
        contact = response.contact
        return cls(
            identity,
            call_id=invite.call_id,
            local=invite.first("From") or "",
            remote=response.first("To") or "",
            target=contact.uri if contact else Uri.read(invite.uri),
            routes=response.listed("Record-Route")[::-1],
            source=source,
            local_cseq=invite.cseq.number,
        )

    @property
    def remote_tag(self) -> str:
        return Address.read(self.remote).tag or ""

    @property
    def hop(self) -> Place:
        """Where requests of ours go next."""
        if not self._routes:
            return next_hop(self.target, self._source)
        return next_hop(Address.read(self._routes[0]).uri, self._source, routed=True)

    def owns(self, request: Request) -> bool:
        """Whether a request with our tag also bears the peer's."""
        return request.call_id == self.call_id and (request.sender.tag or "") == self.remote_tag

    def sent(self, request: Request) -> bool:
        """Whether a request of ours is of this dialog, and not of another one of the call."""
        return (request.recipient.tag or "") == self.remote_tag

    def in_order(self, request: Request) -> bool:
        """Whether a request is newer than all before it (section 12.2.2)."""
        number = request.cseq.number
        if self._remote_cseq is not None and number <= self._remote_cseq:
            return False
        self._remote_cseq = number
        return True

    def refresh(self, message: Message, source: Place) -> None:
        """INVITE and UPDATE, and answers to them, may name another Contact."""
        contact = message.contact
        if contact is not None:
            self.target = contact.uri
        self._source = source

    def request(
        self,
        method: str,
        *,
        headers: Headers = (),
        body: Body | None = None,
        cseq: int | None = None,
    ) -> Request:
        """A new request; `cseq` is given for ACK alone, which has its INVITE's."""
        if cseq is None:
            self._local_cseq += 1
            cseq = self._local_cseq
        hop = self.hop
        uri, routes = self._way()
        typed: Headers = () if body is None else (("Content-Type", body.type),)
        named: Headers = (("Contact", self._identity.contact(hop.transport)), ALLOW)
        return Request(
            method,
            uri,
            (
                ("Via", str(self._identity.via(hop.transport))),
                *(("Route", route) for route in routes),
                _HOPS,
                ("From", self.local),
                ("To", self.remote),
                ("Call-ID", self.call_id),
                ("CSeq", f"{cseq} {method}"),
                *(named if method in ("INVITE", "UPDATE", "REFER") else ()),
                ("User-Agent", self._identity.agent),
                *headers,
                *typed,
            ),
            b"" if body is None else body.content,
        )

    def again(self, request: Request, *headers: tuple[str, str]) -> Request:
        """A request that was refused once more, with these headers in place of its own."""
        self._local_cseq += 1
        cseq = ("CSeq", f"{self._local_cseq} {request.method}")
        return reissue(request, self._identity, cseq, *headers)

    def accept(self, request: Request, body: Body | None, *headers: tuple[str, str]) -> Response:
        """200 to INVITE or UPDATE."""
        contact = ("Contact", self._identity.contact(self.hop.transport))
        recorded = [pair for pair in request.headers if pair[0] == "Record-Route"]
        tag = Address.read(self.local).tag
        named = (contact, ALLOW, ("Supported", "timer"))
        return respond(request, 200, tag=tag, headers=(*recorded, *named, *headers), body=body)

    def _way(self) -> tuple[str, list[str]]:
        """Request-URI and Route; a first route without lr is an old strict router's."""
        target = str(replace(self.target, headers=""))
        if not self._routes:
            return target, []
        first = Address.read(self._routes[0]).uri
        if first.parameter("lr") is not None:
            return target, self._routes
        return str(replace(first, headers="")), [*self._routes[1:], f"<{target}>"]


def reissue(request: Request, identity: Identity, *headers: tuple[str, str]) -> Request:
    """The same request as a new transaction, these headers in place of its own."""
    fresh = identity.via(Transport(request.via.transport))
    names = {name for name, _ in headers} | {"Via"}
    kept = [pair for pair in request.headers if pair[0] not in names]
    return replace(request, headers=(("Via", str(fresh)), *kept, *headers))
