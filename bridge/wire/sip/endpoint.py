"""
A SIP endpoint: bytes and the time in, messages to send and facts out.

A carrier hands over what its sockets receive and carries out every Send; the calls' facts
are for whoever talks to the callers. `deadline` says when `time_is_up` is wanted.

Rule: whatever comes in, nothing is raised, and a stranger is answered only where `peers`
allows it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable

from bridge.errors import Ending
from bridge.wire.sip.actions import (
    Action,
    Ask,
    CallAction,
    Dropped,
    Offered,
    Reply,
    Send,
    TurnedAway,
)
from bridge.wire.sip.alarms import Alarms
from bridge.wire.sip.call import Call
from bridge.wire.sip.faults import Reason
from bridge.wire.sip.guard import Admitted, Challenged, Guard
from bridge.wire.sip.identity import Identity
from bridge.wire.sip.login import Account
from bridge.wire.sip.messages import SDP, Body, Request, Response
from bridge.wire.sip.nat import received, reply_place
from bridge.wire.sip.outgoing import Plan
from bridge.wire.sip.peers import Peers, Verdict
from bridge.wire.sip.places import Place
from bridge.wire.sip.reader import Limits, Unreadable, read
from bridge.wire.sip.registration import Registration, Registry
from bridge.wire.sip.responses import ALLOW, refuse, respond
from bridge.wire.sip.screening import screen
from bridge.wire.sip.talk import FINISHED
from bridge.wire.sip.timers import earliest
from bridge.wire.sip.transactions import News, Transactions

__all__ = ["Endpoint"]


class Endpoint:
    """All calls and registrations of one process."""

    def __init__(
        self,
        identity: Identity,
        peers: Peers,
        guard: Guard | None = None,
        limits: Limits | None = None,
    ) -> None:
        self._identity = identity
        self._peers = peers
        self._guard = guard
        self._limits = limits or Limits()
        self._transactions = Transactions()
        self._owners: dict[str, Call | Registration] = {}
        self._invites: dict[tuple[str, str], Call] = {}  # by Call-ID and the caller's tag
        self._alarms: Alarms[str] = Alarms()

    @property
    def deadline(self) -> float | None:
        """Seconds, on the clock that is told as `now`; None: nothing to wait for."""
        return earliest(self._transactions.deadline, self._alarms.deadline)

    @property
    def calls(self) -> list[str]:
        """The calls that are not gone, those that are being shown out among them."""
        return [key for key, owner in self._owners.items() if isinstance(owner, Call)]

    # What comes in

    def receive(self, data: bytes, source: Place, now: float) -> list[Action]:
        """A datagram, or a frame of a stream."""
        try:
            message = read(data, self._limits)
        except Unreadable as fault:
            return self._on_unreadable(fault, source, now)
        if isinstance(message, Response):
            return self._on_response(message, source, now)
        return self._on_request(received(message, source), source, now)

    def time_is_up(self, now: float) -> list[Action]:
        """What the time brings about; it does no harm to call this early or late."""
        news = self._transactions.time_is_up(now)
        actions: list[Action] = [*news.sends]
        for request in news.silent:
            actions += self._on_silent(request, now)
        for key in self._alarms.due(now):
            if (owner := self._owners.get(key)) is not None:
                actions += self._carry_out(owner, owner.time_is_up(now), now)
        return actions

    def unreachable(self, place: Place, now: float) -> list[Action]:
        """Nothing can be sent to a place, or its connection broke."""
        actions: list[Action] = []
        for request in self._transactions.unreachable(place):
            actions += self._on_silent(request, now)
        return actions

    # Wishes

    def dial(self, plan: Plan, account: Account | None, now: float) -> tuple[str, list[Action]]:
        """Call somebody; gives the call's name."""
        call = Call.goes(self._identity.random(), self._identity, plan, account, now)
        self._owners[call.key] = call
        return call.key, self._carry_out(call, call.begin(), now)

    def ring(
        self, call: str, now: float, status: int = 180, body: Body | None = None
    ) -> list[Action]:
        """Tell a caller that we ring (180), or let them hear early media (183)."""
        return self._wish(call, lambda known: known.ring(status, body), now)

    def answer(self, call: str, body: Body | None, now: float) -> list[Action]:
        """Take a call (Offered), or what was offered within it (Reoffered)."""
        return self._wish(call, lambda known: known.answer(body, now), now)

    def reject(
        self, call: str, status: int, now: float, retry_after: int | None = None
    ) -> list[Action]:
        """Refuse a call (Offered), or what was offered within it (Reoffered)."""
        return self._wish(call, lambda known: known.reject(status, retry_after), now)

    def offer(self, call: str, body: Body, now: float) -> list[Action]:
        """Change the session: OfferAnswered or OfferRefused will tell."""
        return self._wish(call, lambda known: known.offer(body), now)

    def transfer(self, call: str, target: str, now: float) -> list[Action]:
        """Send the peer to another URI: TransferDone will tell."""
        return self._wish(call, lambda known: known.transfer(target, now), now)

    def hangup(self, call: str, now: float, ending: Ending = FINISHED) -> list[Action]:
        """End a call, however far it is."""
        return self._wish(call, lambda known: known.hangup(ending), now)

    def register(
        self, registry: Registry, account: Account | None, now: float
    ) -> tuple[str, list[Action]]:
        """Have calls come here; gives the name that `unregister` wants."""
        registration = Registration(self._identity.random(), self._identity, registry, account)
        self._owners[registration.key] = registration
        return registration.key, self._carry_out(registration, registration.start(), now)

    def unregister(self, key: str, now: float) -> list[Action]:
        owner = self._owners.get(key)
        return self._carry_out(owner, owner.stop(), now) if isinstance(owner, Registration) else []

    # How

    def _wish(self, key: str, wish: Callable[[Call], list[CallAction]], now: float) -> list[Action]:
        """What is wished of a call that is gone is quietly nothing."""
        call = self._owners.get(key)
        return self._carry_out(call, wish(call), now) if isinstance(call, Call) else []

    def _carry_out(
        self, owner: Call | Registration, actions: Iterable[CallAction], now: float
    ) -> list[Action]:
        carried: list[Action] = []
        for action in actions:
            match action:
                case Reply(request, response):
                    carried += self._transactions.reply(request, response, now)
                case Ask(request, to):
                    carried += self._transactions.ask(request, to, now)
                case told:
                    carried.append(told)
        self._alarms.set(owner.key, None if owner.gone else owner.deadline)
        if owner.gone:
            self._forget(owner)
        return carried

    def _forget(self, owner: Call | Registration) -> None:
        self._owners.pop(owner.key, None)
        if isinstance(owner, Call):
            known = _invitation(owner.invite)
            if self._invites.get(known) is owner:
                del self._invites[known]

    def _on_unreadable(self, fault: Unreadable, source: Place, now: float) -> list[Action]:
        if fault.reason is Reason.EMPTY:
            return []  # a datagram that keeps an address translator awake
        silent = fault.request is None
        if silent or self._peers.judge(source.host, now) is Verdict.SILENCE:
            return [Dropped(fault.reason)]
        assert fault.request is not None
        answer = respond(received(fault.request, source), fault.status)
        return [Send(answer, reply_place(answer, source)), TurnedAway(fault.reason, fault.status)]

    def _on_response(self, response: Response, source: Place, now: float) -> list[Action]:
        news = self._transactions.response(response, now)
        if news.answered is None:
            return [*news.sends] if news.known else self._on_stray(response, source, now)
        request, response = news.answered
        match self._owners.get(request.sender.tag or ""):
            case Call() as call:
                told = call.responded(request, response, source, now)
                return [*news.sends, *self._carry_out(call, told, now)]
            case Registration() as registration:
                told = registration.responded(request, response, now)
                return [*news.sends, *self._carry_out(registration, told, now)]
            case None:
                return [*news.sends]

    def _on_stray(self, response: Response, source: Place, now: float) -> list[Action]:
        """An answer without a transaction; a late 2xx to INVITE still has to be dealt with."""
        call = self._owners.get(response.sender.tag or "")
        if isinstance(call, Call) and response.good and response.cseq == call.invite.cseq:
            told = call.responded(call.invite, response, source, now)
            return self._carry_out(call, told, now)
        return [Dropped("stray_response")]

    def _on_silent(self, request: Request, now: float) -> list[Action]:
        match self._owners.get(request.sender.tag or ""):
            case Call() as call:
                return self._carry_out(call, call.silent(request), now)
            case Registration() as registration:
                return self._carry_out(registration, registration.silent(request, now), now)
            case None:
                return []

    def _on_request(self, request: Request, source: Place, now: float) -> list[Action]:
        call = self._call_of(request)
        if call is not None or self._transactions.knows(request):
            return self._on_news(self._transactions.request(request, source, now), source, now)
        if request.method == "ACK":
            return [Dropped("stray_ack")]
        match self._peers.judge(source.host, now):
            case Verdict.SILENCE:
                return [Dropped("stranger")]
            case Verdict.FORBIDDEN:
                return self._turn_away(refuse(request, 403), source, "forbidden")
            case Verdict.CHALLENGE:
                return self._on_stranger(request, source, now)
            case Verdict.TRUSTED:
                news = self._transactions.request(request, source, now)
                return self._on_news(news, source, now)

    def _on_stranger(self, request: Request, source: Place, now: float) -> list[Action]:
        """A challenge is forgotten as soon as it is sent (RFC 3261 section 8.2.7)."""
        if self._guard is None or request.method == "CANCEL":
            return [Dropped("stranger")]
        match self._guard.check(request, now):
            case Admitted(account):
                self._peers.proved(source.host, now)
                news = self._transactions.request(request, source, now)
                return self._on_news(news, source, now, account)
            case Challenged(headers, failed):
                if failed:
                    self._peers.failed(source.host, now)
                reason = "wrong_password" if failed else "challenged"
                return self._turn_away(respond(request, 401, headers=headers), source, reason)

    def _turn_away(self, response: Response, source: Place, reason: str) -> list[Action]:
        return [Send(response, reply_place(response, source)), TurnedAway(reason, response.status)]

    def _on_news(
        self, news: News, source: Place, now: float, account: str | None = None
    ) -> list[Action]:
        if news.full:
            return [Dropped("full")]
        request = news.request
        if request is None:
            return [*news.sends]
        call = self._call_of(request)
        if request.method == "ACK":
            told = call.receive(request, source, now) if call else []
            return self._carry_out(call, told, now) if call else [Dropped("stray_ack")]
        if request.method == "CANCEL":
            return self._on_cancel(request, now)
        if (refusal := screen(request)) is not None:
            return [*self._transactions.reply(request, refusal, now)]
        if call is not None:
            return self._carry_out(call, call.receive(request, source, now), now)
        return self._on_outsider(request, source, now, account)

    def _on_outsider(
        self, request: Request, source: Place, now: float, account: str | None
    ) -> list[Action]:
        """A request that belongs to no call."""
        tagged = request.recipient.tag is not None
        if request.method == "INVITE" and not tagged:
            return self._on_invite(request, source, now, account)
        if request.method == "OPTIONS" and not tagged:
            headers = (ALLOW, ("Accept", SDP), ("Supported", "timer"))
            return [*self._transactions.reply(request, respond(request, 200, headers=headers), now)]
        status = 603 if request.method == "REFER" and not tagged else 481
        return [*self._transactions.reply(request, refuse(request, status), now)]

    def _on_invite(
        self, invite: Request, source: Place, now: float, account: str | None
    ) -> list[Action]:
        known = self._invites.get(_invitation(invite))
        if known is not None and known.invite.cseq == invite.cseq:
            # The same call by another way (section 8.2.2.2).
            return [*self._transactions.reply(invite, refuse(invite, 482), now)]
        call = Call.comes(self._identity.random(), self._identity, invite, source, now)
        self._owners[call.key] = call
        self._invites[_invitation(invite)] = call
        offered = Offered(call.key, invite, source, invite.content, account)
        return [*self._carry_out(call, call.begin(), now), offered]

    def _on_cancel(self, cancel: Request, now: float) -> list[Action]:
        invite = self._transactions.invite_of(cancel)
        if invite is None:
            return [*self._transactions.reply(cancel, refuse(cancel, 481), now)]
        call = self._call_of(invite) or self._invites.get(_invitation(invite))
        if call is None:
            return [*self._transactions.reply(cancel, respond(cancel, 200), now)]
        return self._carry_out(call, call.cancelled(cancel), now)

    def _call_of(self, request: Request) -> Call | None:
        """The call that a request is within."""
        owner = self._owners.get(request.recipient.tag or "")
        return owner if isinstance(owner, Call) and owner.owns(request) else None


def _invitation(request: Request) -> tuple[str, str]:
    return request.call_id, request.sender.tag or ""
