"""
A call that we make, until it is answered (RFC 3261 section 13.2): forks, challenges, second
thoughts. Of several who answer, the first is talked to and the others are hung up.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from bridge.wire.sip.actions import Ask, CallAction, Ringing, Send
from bridge.wire.sip.dialogs import Dialog, reissue
from bridge.wire.sip.faults import Reason, SipProtocolError
from bridge.wire.sip.grammar import quote
from bridge.wire.sip.identity import Identity
from bridge.wire.sip.login import Login
from bridge.wire.sip.messages import Body, Headers, Request, Response
from bridge.wire.sip.places import Place
from bridge.wire.sip.responses import ALLOW
from bridge.wire.sip.session_timer import INTERVAL, offer, shortest
from bridge.wire.sip.uris import Uri

__all__ = ["Outgoing", "Plan"]


@dataclass(frozen=True, slots=True)
class Plan:
    """
    Whom to call and as whom. `target` and `sender` are URIs, `to` is where the INVITE goes:
    the carrier's proxy, or where the target leads. `patience` in seconds of ringing.
    """

    target: str = field(repr=False)
    sender: str = field(repr=False)
    to: Place
    body: Body
    display: str = field(default="", repr=False)
    headers: Headers = field(default=(), repr=False)
    patience: float = 120.0

    def __post_init__(self) -> None:
        """Raises SipProtocolError for what cannot be written into an INVITE."""
        for uri in (self.target, self.sender):
            Uri.read(uri)
        values = [self.display, *(value for pair in self.headers for value in pair)]
        if any("\r" in value or "\n" in value for value in values):
            raise SipProtocolError(Reason.HEADER)


class Outgoing:
    """One INVITE of ours, and what became of it."""

    def __init__(self, call: str, identity: Identity, login: Login, plan: Plan, now: float) -> None:
        self._call = call
        self._identity = identity
        self._login = login
        self._plan = plan
        self._number = 1
        self.invite = self._first()
        self._acks: dict[str, Send] = {}  # by the tag of whoever answered
        self._heard = False  # anything: before that no CANCEL may go out
        self._cancelling = False
        self.cancelled = False
        self.decided = False
        self.deadline: float | None = now + plan.patience

    def begin(self) -> list[CallAction]:
        return [Ask(self.invite, self._plan.to)]

    def cancel(self) -> list[CallAction]:
        """We do not want the call any more."""
        self.cancelled = True
        self.deadline = None
        return self._cancel()

    def again(self, request: Request, response: Response) -> list[CallAction]:
        """What is tried instead of a request that was refused; nothing: it is final."""
        if request.cseq != self.invite.cseq or self.cancelled:
            return []
        if response.status == 422:
            return self._longer(response)
        header = self._login.answer(request, response)
        return [] if header is None else self._reissue(header)

    def provisional(self, response: Response) -> list[CallAction]:
        self._heard = True
        if self.cancelled:
            return self._cancel()
        if response.status == 100 or self.decided:
            return []
        return [Ringing(self._call, response.status, response.content)]

    def answered(self, response: Response, source: Place) -> tuple[Dialog | None, list[CallAction]]:
        """A 2xx: its dialog, if it is the one to talk to, and what is sent."""
        tag = response.recipient.tag or ""
        if (ack := self._acks.get(tag)) is not None:
            return None, [ack]
        dialog = Dialog.as_caller(self._identity, self.invite, response, source)
        ack = Send(dialog.request("ACK", cseq=self.invite.cseq.number), dialog.hop)
        self._acks[tag] = ack
        if self.decided or self.cancelled:
            self.decided = True
            return None, [ack, Ask(dialog.request("BYE"), dialog.hop)]
        self.decided = True
        self.deadline = None
        return dialog, [ack]

    def _cancel(self) -> list[CallAction]:
        if not self._heard or self._cancelling or self.decided:
            return []
        self._cancelling = True
        kept = ("From", "To", "Call-ID", "Route")
        headers = [("Via", str(self.invite.via)), ("Max-Forwards", "70")]
        headers += [pair for pair in self.invite.headers if pair[0] in kept]
        headers.append(("CSeq", f"{self.invite.cseq.number} CANCEL"))
        return [Ask(Request("CANCEL", self.invite.uri, tuple(headers)), self._plan.to)]

    def _longer(self, response: Response) -> list[CallAction]:
        try:
            least = shortest(response)
        except SipProtocolError:
            return []
        if least <= shortest(self.invite):
            return []
        return self._reissue(*offer(max(INTERVAL, least), least))

    def _reissue(self, *headers: tuple[str, str]) -> list[CallAction]:
        self._number += 1
        cseq = ("CSeq", f"{self._number} INVITE")
        self.invite = reissue(self.invite, self._identity, cseq, *headers)
        self._heard = False
        return [Ask(self.invite, self._plan.to)]

    def _first(self) -> Request:
        plan, identity = self._plan, self._identity
        transport = plan.to.transport
        display = f"{quote(plan.display)} " if plan.display else ""
        headers: Headers = (
            ("Via", str(identity.via(transport))),
            ("Max-Forwards", "70"),
            ("From", f"{display}<{plan.sender}>;tag={self._call}"),
            ("To", f"<{plan.target}>"),
            ("Call-ID", identity.random()),
            ("CSeq", "1 INVITE"),
            ("Contact", identity.contact(transport)),
            ALLOW,
            ("User-Agent", identity.agent),
            ("Content-Type", plan.body.type),
            *offer(),
            *plan.headers,
        )
        return Request("INVITE", plan.target, headers, plan.body.content)
