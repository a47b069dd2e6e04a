"""A call that comes in, until it is answered (RFC 3261 section 13.3)."""

from __future__ import annotations

from bridge.wire.sip.actions import CallAction, Reply
from bridge.wire.sip.dialogs import Dialog
from bridge.wire.sip.identity import Identity
from bridge.wire.sip.messages import Body, Request
from bridge.wire.sip.places import Place
from bridge.wire.sip.responses import ALLOW, refuse, respond

__all__ = ["Incoming"]

PATIENCE = 180.0  # seconds that a caller is left without an answer


class Incoming:
    """One INVITE that waits."""

    def __init__(
        self, identity: Identity, invite: Request, source: Place, tag: str, now: float
    ) -> None:
        self._identity = identity
        self._source = source
        self._tag = tag
        self.invite = invite
        self.dialog = Dialog.as_callee(identity, invite, source, tag)
        self.deadline = now + PATIENCE

    def begin(self) -> list[CallAction]:
        """Tell the caller to stop repeating itself."""
        return [Reply(self.invite, respond(self.invite, 100))]

    def ring(self, status: int, body: Body | None) -> list[CallAction]:
        """180, or 183 with early media."""
        contact = ("Contact", self._identity.contact(self._source.transport))
        recorded = [pair for pair in self.invite.headers if pair[0] == "Record-Route"]
        headers = (*recorded, contact, ALLOW)
        response = respond(self.invite, status, tag=self._tag, headers=headers, body=body)
        return [Reply(self.invite, response)]

    def refuse(self, status: int, retry_after: int | None = None) -> list[CallAction]:
        return [Reply(self.invite, refuse(self.invite, status, retry_after=retry_after))]

    def receive(self, request: Request) -> list[CallAction]:
        """A request within the early dialog."""
        match request.method:
            case "ACK":
                return []
            case "BYE":
                return [Reply(request, respond(request, 200)), *self.refuse(487)]
            case "OPTIONS":
                return [Reply(request, respond(request, 200, headers=(ALLOW,)))]
            case "UPDATE" | "INVITE":
                # The offer of the INVITE itself is not answered yet (RFC 3311 section 5.2).
                return [Reply(request, refuse(request, 500, retry_after=1))]
            case "REFER":
                return [Reply(request, refuse(request, 603))]
            case _:
                return [Reply(request, refuse(request, 481))]
