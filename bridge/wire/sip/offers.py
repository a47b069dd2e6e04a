"""
Our own changes of a session: re-INVITE and UPDATE (RFC 3261 section 14, RFC 3311, RFC 4028).

One is under way at a time. If both ends begin one at once, both are refused with 491 and
try again after different pauses.
"""

from __future__ import annotations

from bridge.wire.sip.actions import Ask, CallAction, OfferAnswered, OfferRefused, Send
from bridge.wire.sip.dialogs import Dialog
from bridge.wire.sip.faults import SipProtocolError
from bridge.wire.sip.identity import Identity
from bridge.wire.sip.login import Login
from bridge.wire.sip.messages import Body, Message, Request, Response
from bridge.wire.sip.places import Place
from bridge.wire.sip.session_timer import INTERVAL, SessionTimer, learn, offer, shortest

__all__ = ["Offers"]

_DIALOG_IS_GONE = (408, 481)


class Offers:
    """`called`: we are the one who made the Call-ID, whose pause after 491 is the longer one."""

    def __init__(
        self, call: str, identity: Identity, dialog: Dialog, login: Login, *, called: bool
    ) -> None:
        self._call = call
        self._identity = identity
        self._dialog = dialog
        self._login = login
        self._called = called
        self.timer = SessionTimer()
        self.local: Body | None = None
        self.takes_update = False
        self._asked: Request | None = None
        self._silent = False  # what is asked is a refresh, of which nobody is told
        self._wanted: Body | None = None
        self._offered: Body | None = None
        self._retry_at: float | None = None
        self._ack: Send | None = None

    @property
    def pending(self) -> bool:
        """Whether an offer of ours waits for its answer."""
        return self._asked is not None

    @property
    def deadline(self) -> float | None:
        return self._retry_at

    def learn_of(self, message: Message) -> None:
        """What the peer says that it understands."""
        if message.first("Allow") is not None:
            self.takes_update = "update" in message.words("Allow")

    def want(self, body: Body, *, free: bool) -> list[CallAction]:
        """Offer this, as soon as nothing else is under way; a newer wish replaces an older."""
        self._wanted = body
        return self.go_on(free=free)

    def go_on(self, *, free: bool) -> list[CallAction]:
        """Offer what is wanted, if that is possible now."""
        if self._wanted is None or self.pending or not free or self._retry_at is not None:
            return []
        self._silent = False
        self._offered = self._wanted
        return self._invite(self._wanted)

    def refresh(self) -> list[CallAction]:
        """Tell the peer that we are here (RFC 4028 section 10)."""
        if self.pending:
            return []  # what is under way refreshes as well
        self._silent = True
        if not self.takes_update and self.local is not None:
            return self._invite(self.local)
        self._asked = self._dialog.request("UPDATE", headers=offer(refreshing=True))
        return [Ask(self._asked, self._dialog.hop)]

    def time_is_up(self, now: float, *, free: bool) -> list[CallAction]:
        if self._retry_at is None or now < self._retry_at:
            return []
        self._retry_at = None
        if self._silent:
            return self.refresh()
        return self.go_on(free=free)

    def responded(
        self, request: Request, response: Response, source: Place, now: float
    ) -> list[CallAction] | None:
        """An answer to INVITE or UPDATE came. None: the dialog is gone at the other end."""
        if self._asked is None or request.cseq != self._asked.cseq:
            return self._late(request, response)
        if not response.final:
            return []
        if response.good:
            return self._accepted(request, response, source, now)
        if (header := self._login.answer(request, response)) is not None:
            return self._again(request, header)
        self._asked = None
        return self._refused(request, response, now)

    def _late(self, request: Request, response: Response) -> list[CallAction]:
        """A copy of a 2xx: our ACK was lost."""
        ack = self._ack
        if ack is None or not response.good or request.method != "INVITE":
            return []
        return [ack] if ack.message.cseq.number == request.cseq.number else []

    def _accepted(
        self, request: Request, response: Response, source: Place, now: float
    ) -> list[CallAction]:
        self._asked = None
        self._dialog.refresh(response, source)
        self.learn_of(response)
        self.timer.start(learn(response), now)
        actions: list[CallAction] = []
        if request.method == "INVITE":
            ack = self._dialog.request("ACK", cseq=request.cseq.number)
            self._ack = Send(ack, self._dialog.hop)
            actions.append(self._ack)
        if self._silent and response.content is None:
            return actions
        self.local = request.content or self.local
        self._forget()
        return [*actions, OfferAnswered(self._call, response.content)]

    def _refused(self, request: Request, response: Response, now: float) -> list[CallAction] | None:
        match response.status:
            case status if status in _DIALOG_IS_GONE:
                return None
            case 491:
                pause = self._identity.fraction()
                self._retry_at = now + (2.1 + 1.9 * pause if self._called else 2.0 * pause)
                return []
            case 422 if request.first("Session-Expires") is not None:
                return self._longer(request, response)
            case 405 | 501 if request.method == "UPDATE":
                self.takes_update = False
                return self.refresh()
            case status if self._silent:
                return []  # the session goes on until its interval is over
            case status:
                self._forget()
                return [OfferRefused(self._call, status)]

    def _forget(self) -> None:
        """What was offered is decided; what is wanted since is not."""
        if not self._silent and self._wanted is self._offered:
            self._wanted = None

    def _longer(self, request: Request, response: Response) -> list[CallAction]:
        try:
            least = shortest(response)
        except SipProtocolError:
            return []
        if least <= shortest(request):
            return []
        self._asked = request
        return self._again(request, *offer(max(INTERVAL, least), least, refreshing=True))

    def _again(self, request: Request, *headers: tuple[str, str]) -> list[CallAction]:
        self._asked = self._dialog.again(request, *headers)
        return [Ask(self._asked, self._dialog.hop)]

    def _invite(self, body: Body | None) -> list[CallAction]:
        headers = offer(refreshing=True) if self._silent else offer()
        self._asked = self._dialog.request("INVITE", headers=headers, body=body)
        return [Ask(self._asked, self._dialog.hop)]
