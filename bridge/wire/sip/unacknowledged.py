"""A 2xx to an INVITE, repeated until its ACK comes (RFC 3261 section 13.3.1.4)."""

from __future__ import annotations

from bridge.wire.sip.actions import Reply
from bridge.wire.sip.messages import Request, Response
from bridge.wire.sip.timers import GIVE_UP, Repeater

__all__ = ["Unacknowledged"]


class Unacknowledged:
    """`initial`: it answers the call itself. `offered`: it holds our offer, ACK the answer."""

    def __init__(
        self, invite: Request, response: Response, now: float, *, initial: bool, offered: bool
    ) -> None:
        self.initial = initial
        self.offered = offered
        self._reply = Reply(invite, response)
        self._copies = Repeater(now)
        self._ends = now + GIVE_UP

    @property
    def deadline(self) -> float:
        return min(self._copies.deadline, self._ends)

    def answered_by(self, ack: Request) -> bool:
        return ack.cseq.number == self._reply.request.cseq.number

    def hopeless(self, now: float) -> bool:
        """Whether no ACK came in time."""
        return now >= self._ends

    def time_is_up(self, now: float) -> list[Reply]:
        return [self._reply] if self._copies.due(now) else []
