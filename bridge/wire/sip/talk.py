"""
An established call: what either side can still want of it, and how it ends.

Rule: Ended is said once; after it the other side's requests are only shown out. `gone`
says when nothing is left to be waited for.
"""

from __future__ import annotations

from bridge.errors import Ending, Fault
from bridge.wire.sip import dtmf
from bridge.wire.sip.actions import (
    Ask,
    CallAction,
    DtmfPressed,
    Ended,
    Established,
    OfferAnswered,
    Reoffered,
    Reply,
    TransferDone,
)
from bridge.wire.sip.dialogs import Dialog
from bridge.wire.sip.identity import Identity
from bridge.wire.sip.login import Login
from bridge.wire.sip.messages import Body, Request, Response
from bridge.wire.sip.offers import Offers
from bridge.wire.sip.places import Place
from bridge.wire.sip.responses import ALLOW, refuse, respond
from bridge.wire.sip.session_timer import Agreed, Due, agree
from bridge.wire.sip.timers import earliest
from bridge.wire.sip.transfer import Transfer, refer_to
from bridge.wire.sip.unacknowledged import Unacknowledged

__all__ = ["FINISHED", "Talk"]

FINISHED = Ending(Fault.NOBODY, "finished")

_HANGUP = Ending(Fault.CALLER, "hangup")
_TRANSFERRED = Ending(Fault.NOBODY, "transferred")
_NO_ACK = Ending(Fault.CARRIER, "no_ack", "our answer was never acknowledged")
_LOST = Ending(Fault.CARRIER, "lost", "the other end does not know the call any more")
_EXPIRED = Ending(Fault.CARRIER, "session_expired", "the other end was not heard of any more")


class Talk:
    """The session of one dialog."""

    def __init__(
        self, call: str, identity: Identity, dialog: Dialog, login: Login, *, called: bool
    ) -> None:
        self._call = call
        self._identity = identity
        self._login = login
        self.dialog = dialog
        self.offers = Offers(call, identity, dialog, login, called=called)
        self._unacknowledged: Unacknowledged | None = None
        self._pending: Request | None = None  # the peer's offer, which waits for our answer
        self._transfer: Transfer | None = None
        self._leaving = False  # BYE is to be sent, or has been
        self._bye: Request | None = None
        self.over = False
        self.gone = False

    @property
    def deadline(self) -> float | None:
        unacknowledged = self._unacknowledged.deadline if self._unacknowledged else None
        if self.over:
            return unacknowledged
        transfer = self._transfer.deadline if self._transfer else None
        timer = self.offers.timer.deadline
        return earliest(unacknowledged, transfer, timer, self.offers.deadline)

    # What we want

    def begin(
        self, invite: Request, body: Body | None, agreed: Agreed | None, now: float
    ) -> list[CallAction]:
        """Answer the INVITE that made this dialog."""
        self.offers.learn_of(invite)
        return self._accept(invite, body, agreed, now, initial=True)

    def answer(self, body: Body | None, now: float) -> list[CallAction]:
        """Agree to what the peer offered within the call."""
        request, self._pending = self._pending, None
        if request is None or self.over:
            return []
        actions = self._accept(request, body, agree(request), now, initial=False)
        return [*actions, *self.offers.go_on(free=self._free)]

    def reject(self, status: int) -> list[CallAction]:
        """Refuse what the peer offered within the call, which goes on as it was."""
        request, self._pending = self._pending, None
        if request is None:
            return []
        return [Reply(request, refuse(request, status)), *self.offers.go_on(free=self._free)]

    def offer(self, body: Body) -> list[CallAction]:
        """Change the session; OfferAnswered or OfferRefused will tell."""
        return [] if self.over else self.offers.want(body, free=self._free)

    def transfer(self, target: str, now: float) -> list[CallAction]:
        """Ask the peer to call somebody else; TransferDone will tell."""
        if self.over or (self._transfer is not None and not self._transfer.done):
            return []
        uri = refer_to(target, self.dialog.target)
        if uri is None:
            return [TransferDone(self._call, 484)]
        self._transfer = Transfer(self._call, now)
        headers = (
            ("Refer-To", f"<{uri}>"),
            ("Referred-By", self.dialog.local.partition(";tag=")[0]),
        )
        return [Ask(self.dialog.request("REFER", headers=headers), self.dialog.hop)]

    def hangup(self, ending: Ending = FINISHED) -> list[CallAction]:
        """End the call. BYE waits for the ACK to our answer (section 15)."""
        if self.over:
            return []
        return [*self._leave(), *self._end(ending)]

    # What the peer wants

    def receive(self, request: Request, source: Place, now: float) -> list[CallAction]:
        if request.method == "ACK":
            return self._on_ack(request)
        if not self.dialog.in_order(request):
            return [Reply(request, refuse(request, 500, retry_after=1))]
        match request.method:
            case "BYE":
                return self._on_bye(request)
            case "OPTIONS":
                return [Reply(request, respond(request, 200, headers=(ALLOW,)))]
            case _ if self.over:
                return [Reply(request, refuse(request, 481))]
            case "INVITE" | "UPDATE":
                return self._on_offer(request, source, now)
            case "INFO":
                return self._on_info(request)
            case "NOTIFY" if self._transfer is not None:
                return self._transfer.notified(request)
            case "REFER":
                return [Reply(request, refuse(request, 603))]
            case _:
                return [Reply(request, refuse(request, 481))]

    def cancelled(self) -> list[CallAction]:
        """The peer does not want its re-INVITE any more; the session stays as it was."""
        if self._pending is None or self._pending.method != "INVITE":
            return []
        return self.reject(487)

    def responded(
        self, request: Request, response: Response, source: Place, now: float
    ) -> list[CallAction]:
        """An answer to a request of ours."""
        match request.method:
            case "BYE":
                return self._on_bye_answered(request, response)
            case "INVITE" | "UPDATE":
                actions = self.offers.responded(request, response, source, now)
                if actions is None:
                    return self.hangup(_LOST)
                return actions if self.over else [*actions, *self.offers.go_on(free=self._free)]
            case "REFER" if self._transfer is not None and not self.over:
                if (header := self._login.answer(request, response)) is not None:
                    return [Ask(self.dialog.again(request, header), self.dialog.hop)]
                return self._transfer.responded(response)
            case _:
                return []

    def silent(self, request: Request) -> list[CallAction]:
        """A request of ours was not answered."""
        match request.method:
            case "BYE":
                self.gone = True
            case "INVITE" | "UPDATE":
                return self.hangup(_LOST)
            case "REFER" if self._transfer is not None and not self.over:
                return self._transfer.finish(408)
            case _:
                pass
        return []

    def time_is_up(self, now: float) -> list[CallAction]:
        actions: list[CallAction] = []
        if (waiting := self._unacknowledged) is not None:
            if waiting.hopeless(now):
                self._unacknowledged = None
                return [*self._leave(), *self._end(_NO_ACK)]
            actions += waiting.time_is_up(now)
        if self.over:
            return actions
        if self._transfer is not None:
            actions += self._transfer.time_is_up(now)
        actions += self.offers.time_is_up(now, free=self._free)
        match self.offers.timer.due(now):
            case Due.REFRESH:
                actions += self.offers.refresh()
            case Due.EXPIRED:
                actions += self.hangup(_EXPIRED)
            case None:
                pass
        return actions

    # How

    @property
    def _free(self) -> bool:
        """Whether no offer of the peer's, and no answer of ours, is under way."""
        return self._pending is None and self._unacknowledged is None

    def _accept(
        self,
        request: Request,
        body: Body | None,
        agreed: Agreed | None,
        now: float,
        *,
        initial: bool,
    ) -> list[CallAction]:
        headers = agreed.answer() if agreed else ()
        response = self.dialog.accept(request, body, *headers)
        self.offers.timer.start(agreed, now)
        self.offers.local = body or self.offers.local
        if request.method == "INVITE":
            offered = request.content is None and body is not None
            self._unacknowledged = Unacknowledged(
                request, response, now, initial=initial, offered=offered
            )
        return [Reply(request, response)]

    def _on_ack(self, ack: Request) -> list[CallAction]:
        waiting = self._unacknowledged
        if waiting is None or not waiting.answered_by(ack):
            return []
        self._unacknowledged = None
        if self._leaving:
            return self._leave()
        actions: list[CallAction] = []
        if waiting.initial:
            actions = [Established(self._call, ack.content)]
        elif waiting.offered:
            actions = [OfferAnswered(self._call, ack.content)]
        return [*actions, *self.offers.go_on(free=self._free)]

    def _on_bye(self, bye: Request) -> list[CallAction]:
        actions: list[CallAction] = [Reply(bye, respond(bye, 200))]
        self._unacknowledged = None
        self.gone = self._bye is None
        done = self._transfer is not None and self._transfer.succeeded
        return [*actions, *self._end(_TRANSFERRED if done else _HANGUP)]

    def _on_offer(self, request: Request, source: Place, now: float) -> list[CallAction]:
        if self._pending is not None:
            return [Reply(request, refuse(request, 500, retry_after=1))]
        offering = request.method == "INVITE" or request.content is not None
        if offering and (self.offers.pending or self._unacknowledged is not None):
            return [Reply(request, refuse(request, 491))]
        self.dialog.refresh(request, source)
        self.offers.learn_of(request)
        if not offering:
            return self._accept(request, None, agree(request), now, initial=False)
        self._pending = request
        return [Reoffered(self._call, request.content)]

    def _on_info(self, info: Request) -> list[CallAction]:
        body = info.content
        if body is None:
            return [Reply(info, respond(info, 200))]
        if body.type not in dtmf.TYPES:
            return [Reply(info, refuse(info, 415))]
        taken = Reply(info, respond(info, 200))
        key = dtmf.pressed(body)
        return [taken] if key is None else [taken, DtmfPressed(self._call, *key)]

    def _on_bye_answered(self, bye: Request, response: Response) -> list[CallAction]:
        if not response.final or self._bye is None or bye.cseq != self._bye.cseq:
            return []
        header = self._login.answer(bye, response)
        if header is None:
            self.gone = True
            return []
        self._bye = self.dialog.again(bye, header)
        return [Ask(self._bye, self.dialog.hop)]

    def _leave(self) -> list[CallAction]:
        self._leaving = True
        if self._unacknowledged is not None or self._bye is not None:
            return []
        self._bye = self.dialog.request("BYE")
        return [Ask(self._bye, self.dialog.hop)]

    def _end(self, ending: Ending) -> list[CallAction]:
        if self.over:
            return []
        self.over = True
        self.offers.timer.start(None, 0.0)
        refused = self._pending
        self._pending = None
        last: list[CallAction] = [] if refused is None else [Reply(refused, refuse(refused, 487))]
        return [*last, Ended(self._call, ending)]
