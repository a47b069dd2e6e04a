"""Two endpoints and a network between them that loses, doubles and delays what it carries."""

from __future__ import annotations

import heapq
import itertools
from collections.abc import Sequence
from dataclasses import dataclass, field

from bridge.wire.sip import actions
from bridge.wire.sip.actions import Action, Fact, Send
from bridge.wire.sip.endpoint import Endpoint
from bridge.wire.sip.identity import Identity
from bridge.wire.sip.messages import Message
from bridge.wire.sip.outgoing import Plan
from bridge.wire.sip.peers import Peers
from bridge.wire.sip.places import Place, Transport
from tests.wire.sip.scripts import ANSWER, OFFER, tokens

Fate = tuple[float, ...]
"""After how many seconds the copies of a message arrive: none, one or several."""

WAKES = 20_000  # more would mean that a machine never comes to rest


@dataclass
class End:
    """One side, which takes every call and every offer unless it is told otherwise."""

    endpoint: Endpoint
    place: Place
    refuses: bool = False
    facts: list[Fact] = field(default_factory=list)
    sends: list[Message] = field(default_factory=list)
    calls: list[str] = field(default_factory=list)

    @property
    def plan(self) -> Plan:
        """To call this side."""
        return Plan(f"sip:bob@{self.place.host}", "sip:alice@example.com", self.place, OFFER)


class Network:
    """Time passes for both ends as under their carriers."""

    def __init__(self, fates: Sequence[Fate] = ((0.01,),)) -> None:
        self.alice = self._end("192.0.2.1", "a")
        self.bob = self._end("192.0.2.2", "b")
        self.now = 0.0
        self._fates = itertools.cycle(fates)
        self._flying: list[tuple[float, int, Place, Place, bytes]] = []
        self._numbers = itertools.count()

    def does(self, end: End, happened: Sequence[Action]) -> None:
        """What an end's carrier does with what its endpoint says."""
        for action in happened:
            if isinstance(action, Send):
                end.sends.append(action.message)
                self._carry(end, action)
            else:
                end.facts.append(action)
                self._react(end, action)

    def run(self, seconds: float) -> None:
        until = self.now + seconds
        for _ in range(WAKES):
            upcoming = self._upcoming()
            if upcoming is None or upcoming > until:
                break
            self.now = max(self.now, upcoming)
            self._step()
        else:
            raise AssertionError("the machines never come to rest")
        self.now = until

    def _end(self, host: str, prefix: str) -> End:
        identity = Identity(host, 5060, tokens(prefix))
        return End(Endpoint(identity, Peers(["192.0.2.0/24"])), Place(Transport.UDP, host, 5060))

    def _upcoming(self) -> float | None:
        times = [end.endpoint.deadline for end in (self.alice, self.bob)]
        times.append(self._flying[0][0] if self._flying else None)
        return min((one for one in times if one is not None), default=None)

    def _step(self) -> None:
        while self._flying and self._flying[0][0] <= self.now:
            _, _, source, to, data = heapq.heappop(self._flying)
            end = self.alice if to.host == self.alice.place.host else self.bob
            self.does(end, end.endpoint.receive(data, source, self.now))
        for end in (self.alice, self.bob):
            if (deadline := end.endpoint.deadline) is not None and deadline <= self.now:
                self.does(end, end.endpoint.time_is_up(self.now))

    def _carry(self, end: End, send: Send) -> None:
        for delay in next(self._fates):
            item = (self.now + delay, next(self._numbers), end.place, send.to)
            heapq.heappush(self._flying, (*item, send.message.render()))

    def _react(self, end: End, fact: Fact) -> None:
        match fact:
            case actions.Offered(call=call):
                end.calls.append(call)
                if end.refuses:
                    self.does(end, end.endpoint.reject(call, 486, self.now))
                else:
                    self.does(end, end.endpoint.ring(call, self.now))
                    self.does(end, end.endpoint.answer(call, ANSWER, self.now))
            case actions.Reoffered(call, _):
                self.does(end, end.endpoint.answer(call, ANSWER, self.now))
            case _:
                pass
