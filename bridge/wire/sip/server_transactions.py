"""
Transactions of requests that came in (RFC 3261 section 17.2, RFC 6026).

Each is handed copies of its request and the responses of the call, and says what is sent.
Timers G, H, I and L are the INVITE's, J the others'.
"""

from __future__ import annotations

from enum import Enum, auto

from bridge.wire.sip.messages import Request, Response
from bridge.wire.sip.places import Place
from bridge.wire.sip.timers import GIVE_UP, INFINITY, T4, Repeater

__all__ = ["InviteServer", "OtherServer", "ServerTransaction"]


class _State(Enum):
    PROCEEDING = auto()
    COMPLETED = auto()
    CONFIRMED = auto()
    ACCEPTED = auto()
    TERMINATED = auto()


class InviteServer:
    """An INVITE: a non-2xx answer is repeated until its ACK; a 2xx is the call's to repeat."""

    def __init__(self, request: Request, to: Place) -> None:
        self.request = request
        self.to = to
        self._state = _State.PROCEEDING
        self._last: Response | None = None
        self._copies: Repeater | None = None
        self._ends = INFINITY

    @property
    def over(self) -> bool:
        return self._state is _State.TERMINATED

    @property
    def answered(self) -> bool:
        """Whether a final response was given."""
        return self._state is not _State.PROCEEDING

    @property
    def deadline(self) -> float:
        copies = self._copies.deadline if self._copies else INFINITY
        return min(self._ends, copies)

    def copy(self) -> Response | None:
        """The INVITE came once more: what is sent again."""
        if self._state in (_State.PROCEEDING, _State.COMPLETED):
            return self._last
        return None

    def acknowledged(self, now: float) -> bool:
        """ACK with the INVITE's branch came; True if it is for the call (it follows a 2xx)."""
        if self._state is _State.COMPLETED:
            self._state = _State.CONFIRMED
            self._copies = None
            self._ends = now if self.to.transport.reliable else now + T4
            self._finish(now)
        return self._state is _State.ACCEPTED

    def respond(self, response: Response, now: float) -> Response | None:
        """The call answers: what is sent, which is nothing for a second final answer."""
        if self._state is _State.ACCEPTED:
            return response if response.good else None
        if self._state is not _State.PROCEEDING:
            return None
        self._last = response
        if response.good:
            self._state = _State.ACCEPTED
            self._ends = now + GIVE_UP
        elif response.final:
            self._state = _State.COMPLETED
            self._ends = now + GIVE_UP
            self._copies = Repeater(now, active=not self.to.transport.reliable)
        return response

    def time_is_up(self, now: float) -> Response | None:
        """What is sent again."""
        self._finish(now)
        if self._copies is not None and self._state is _State.COMPLETED and self._copies.due(now):
            return self._last
        return None

    def _finish(self, now: float) -> None:
        if now >= self._ends:
            self._state = _State.TERMINATED
            self._copies = None


class OtherServer:
    """Any other request: its answer is kept, and repeated for copies of the request only."""

    def __init__(self, request: Request, to: Place) -> None:
        self.request = request
        self.to = to
        self._last: Response | None = None
        self._ends = INFINITY
        self.over = False

    @property
    def answered(self) -> bool:
        return self._last is not None and self._last.final

    @property
    def deadline(self) -> float:
        return self._ends

    def copy(self) -> Response | None:
        return self._last

    def respond(self, response: Response, now: float) -> Response | None:
        if self.answered:
            return None
        self._last = response
        if response.final:
            self._ends = now if self.to.transport.reliable else now + GIVE_UP
        return response

    def time_is_up(self, now: float) -> Response | None:
        self.over = now >= self._ends
        return None


ServerTransaction = InviteServer | OtherServer
