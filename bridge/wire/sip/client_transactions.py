"""
Transactions of requests of ours (RFC 3261 section 17.1, RFC 6026).

Timers A, B, D and M are the INVITE's, E, F and K the others'. Each says what is sent,
which responses are news for the call, and when nothing came in time.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum, auto

from bridge.wire.sip.messages import Request, Response
from bridge.wire.sip.places import Place
from bridge.wire.sip.timers import GIVE_UP, INFINITY, T4, WAIT_FOR_COPIES, Repeater

__all__ = ["ClientTransaction", "InviteClient", "OtherClient", "Outcome", "acknowledge"]


class _State(Enum):
    CALLING = auto()
    PROCEEDING = auto()
    COMPLETED = auto()
    ACCEPTED = auto()
    TERMINATED = auto()


@dataclass(frozen=True, slots=True)
class Outcome:
    """`send` goes to the wire, `news` to the call; `silent`: no answer came in time."""

    send: Request | None = None
    news: Response | None = None
    silent: bool = False


class _Client:
    """What every request of ours has in common: its copies, and until when it is waited for."""

    def __init__(self, request: Request, to: Place, now: float, copies: Repeater) -> None:
        self.request = request
        self.to = to
        self._state = _State.CALLING
        self._ends = now + GIVE_UP
        self._copies = copies

    @property
    def over(self) -> bool:
        return self._state is _State.TERMINATED

    @property
    def waiting(self) -> bool:
        """Whether there is no final answer yet."""
        return self._state in (_State.CALLING, _State.PROCEEDING)

    @property
    def deadline(self) -> float:
        return min(self._ends, self._copies.deadline)

    def time_is_up(self, now: float) -> Outcome:
        waiting = self.waiting
        self._finish(now)
        if self.over:
            return Outcome(silent=waiting)
        return Outcome(send=self.request if self._copies.due(now) else None)

    def _complete(self, now: float, copies_for: float) -> None:
        """There is a final answer; over a network that loses, copies of it may follow."""
        self._state = _State.COMPLETED
        self._copies.stop()
        self._ends = now + (0.0 if self.to.transport.reliable else copies_for)
        self._finish(now)

    def _finish(self, now: float) -> None:
        if now >= self._ends:
            self._state = _State.TERMINATED
            self._copies.stop()


class InviteClient(_Client):
    """An INVITE of ours. It acknowledges what is no 2xx; ACK to a 2xx is the call's."""

    def __init__(self, request: Request, to: Place, now: float) -> None:
        copies = Repeater(now, longest=INFINITY, active=not to.transport.reliable)
        super().__init__(request, to, now, copies)
        self._ack: Request | None = None

    def receive(self, response: Response, now: float) -> Outcome:
        match self._state:
            case _State.CALLING | _State.PROCEEDING:
                return self._first(response, now)
            case _State.COMPLETED if response.final:
                return Outcome(send=self._ack)
            case _State.ACCEPTED if response.good:
                return Outcome(news=response)
            case _:
                return Outcome()

    def _first(self, response: Response, now: float) -> Outcome:
        self._copies.stop()
        if not response.final:
            if self._state is _State.CALLING:  # a later one does not undo `abandon`
                self._state = _State.PROCEEDING
                self._ends = INFINITY
            return Outcome(news=response)
        if response.good:
            self._state = _State.ACCEPTED
            self._ends = now + GIVE_UP
            return Outcome(news=response)
        self._ack = acknowledge(self.request, response)
        self._complete(now, WAIT_FOR_COPIES)
        return Outcome(send=self._ack, news=response)

    def abandon(self, now: float) -> None:
        """It was cancelled: after so long nobody waits for its answer any more."""
        if self.waiting:
            self._ends = min(self._ends, now + GIVE_UP)


class OtherClient(_Client):
    """Any other request of ours."""

    def __init__(self, request: Request, to: Place, now: float) -> None:
        super().__init__(request, to, now, Repeater(now, active=not to.transport.reliable))

    def receive(self, response: Response, now: float) -> Outcome:
        if not self.waiting:
            return Outcome()
        if response.final:
            self._complete(now, T4)
        elif self._state is _State.CALLING:
            self._state = _State.PROCEEDING
            self._copies.slow(now)
        return Outcome(news=response)


ClientTransaction = InviteClient | OtherClient


def acknowledge(invite: Request, response: Response) -> Request:
    """ACK to a non-2xx answer: the INVITE's branch, the answer's To (section 17.1.1.3)."""
    kept = ("From", "Call-ID", "Route", "Authorization", "Proxy-Authorization")
    headers = [("Via", str(invite.via)), ("Max-Forwards", "70")]
    headers += [pair for pair in invite.headers if pair[0] in kept]
    headers += [("To", response.first("To") or ""), ("CSeq", f"{invite.cseq.number} ACK")]
    return Request("ACK", invite.uri, tuple(headers))
