"""
All transactions of an endpoint: which request a message belongs to (RFC 3261 sections
17.1.3 and 17.2.3), copies absorbed, timers kept.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from bridge.wire.sip.actions import Send
from bridge.wire.sip.alarms import Alarms
from bridge.wire.sip.client_transactions import (
    ClientTransaction,
    InviteClient,
    OtherClient,
    Outcome,
)
from bridge.wire.sip.messages import Request, Response
from bridge.wire.sip.nat import reply_place
from bridge.wire.sip.places import Place
from bridge.wire.sip.server_transactions import InviteServer, OtherServer, ServerTransaction

__all__ = ["News", "Transactions"]

Key = tuple[str, ...]

MOST = 20_000  # transactions of others that are kept at once


@dataclass(frozen=True, slots=True)
class News:
    """What a message or the time brought about."""

    sends: list[Send] = field(default_factory=list)
    request: Request | None = None
    """A request that nobody has seen before."""
    full: bool = False
    """A request for which there is no room."""
    answered: tuple[Request, Response] | None = None
    """A request of ours, and an answer to it."""
    known: bool = True
    """Whether an answer belongs to a request of ours."""
    silent: list[Request] = field(default_factory=list)
    """Requests of ours that were not answered in time."""


class Transactions:
    """Transactions of others by their branch and sender, ours by our branch."""

    def __init__(self, most: int = MOST) -> None:
        self._most = most
        self._servers: dict[Key, ServerTransaction] = {}
        self._clients: dict[Key, ClientTransaction] = {}
        self._alarms: Alarms[Key] = Alarms()

    @property
    def deadline(self) -> float | None:
        return self._alarms.deadline

    def __len__(self) -> int:
        return len(self._servers) + len(self._clients)

    def knows(self, request: Request) -> bool:
        """Whether a request is a copy, an ACK or a CANCEL of one that is here."""
        return _server_key(request) in self._servers or self.invite_of(request) is not None

    def request(self, request: Request, source: Place, now: float) -> News:
        """A request came; `source` is where it came from."""
        key = _server_key(request)
        known = self._servers.get(key)
        if request.method == "ACK":
            return self._acknowledge(key, known, request, now)
        if known is not None:
            again = known.copy()
            return News([] if again is None else [Send(again, known.to)])
        if len(self._servers) >= self._most:
            return News(full=True)
        place = reply_place(request, source)
        kind = InviteServer if request.method == "INVITE" else OtherServer
        self._servers[key] = kind(request, place)
        return News(request=request)

    def reply(self, request: Request, response: Response, now: float) -> list[Send]:
        """The call answers a request; nothing is sent if that is too late."""
        key = _server_key(request)
        transaction = self._servers.get(key)
        if transaction is None:
            return []
        sent = transaction.respond(response, now)
        self._alarms.set(key, transaction.deadline)
        return [] if sent is None else [Send(sent, transaction.to)]

    def invite_of(self, cancel: Request) -> Request | None:
        """The INVITE that a CANCEL is about, as long as it has no final answer."""
        if cancel.method != "CANCEL":
            return None
        transaction = self._servers.get((*_server_key(cancel)[:-1], "INVITE"))
        if not isinstance(transaction, InviteServer):
            return None
        return transaction.request

    def ask(self, request: Request, to: Place, now: float) -> list[Send]:
        """A request of ours goes out. A CANCEL bounds how long its INVITE waits."""
        if request.method == "CANCEL":
            self._abandon(request, now)
        kind = InviteClient if request.method == "INVITE" else OtherClient
        transaction = kind(request, to, now)
        key = _client_key(request)
        self._clients[key] = transaction
        self._alarms.set(key, transaction.deadline)
        return [Send(request, to)]

    def response(self, response: Response, now: float) -> News:
        """An answer came; `answered` stays None for one that belongs to nothing here."""
        key = _client_key(response)
        transaction = self._clients.get(key)
        if transaction is None:
            return News(known=False)
        return self._after(key, transaction, transaction.receive(response, now))

    def _abandon(self, cancel: Request, now: float) -> None:
        key = (*_client_key(cancel)[:-1], "INVITE")
        transaction = self._clients.get(key)
        if isinstance(transaction, InviteClient):
            transaction.abandon(now)
            self._alarms.set(key, transaction.deadline)

    def unreachable(self, place: Place) -> list[Request]:
        """Nothing can be sent to a place: requests of ours that are not answered any more."""
        lost = [(key, one) for key, one in self._clients.items() if one.to == place and one.waiting]
        for key, _ in lost:
            del self._clients[key]
            self._alarms.set(key, None)
        return [one.request for _, one in lost]

    def time_is_up(self, now: float) -> News:
        news = News()
        for key in self._alarms.due(now):
            if (server := self._servers.get(key)) is not None:
                again = server.time_is_up(now)
                news.sends.extend([] if again is None else [Send(again, server.to)])
                self._keep_server(key, server)
            elif (client := self._clients.get(key)) is not None:
                outcome = client.time_is_up(now)
                after = self._after(key, client, outcome)
                news.sends.extend(after.sends)
                news.silent.extend([client.request] if outcome.silent else [])
        return news

    def _acknowledge(
        self, key: Key, known: ServerTransaction | None, ack: Request, now: float
    ) -> News:
        if not isinstance(known, InviteServer):
            return News(request=ack)
        for_the_call = known.acknowledged(now)
        self._keep_server(key, known)
        return News(request=ack if for_the_call else None)

    def _after(self, key: Key, transaction: ClientTransaction, outcome: Outcome) -> News:
        if transaction.over:
            del self._clients[key]
            self._alarms.set(key, None)
        else:
            self._alarms.set(key, transaction.deadline)
        sends = [] if outcome.send is None else [Send(outcome.send, transaction.to)]
        news = outcome.news
        return News(sends, answered=None if news is None else (transaction.request, news))

    def _keep_server(self, key: Key, transaction: ServerTransaction) -> None:
        if transaction.over:
            del self._servers[key]
            self._alarms.set(key, None)
        else:
            self._alarms.set(key, transaction.deadline)


def _server_key(request: Request) -> Key:
    via = request.via
    method = "INVITE" if request.method == "ACK" else request.method
    if via.unique:
        return ("server", via.branch, via.host.lower(), str(via.port or ""), method)
    # RFC 2543: everything but the method has to be the same.
    named = (request.call_id, str(request.cseq.number), request.sender.tag or "", request.uri)
    return ("server", "", str(via), *named, method)


def _client_key(message: Request | Response) -> Key:
    return ("client", message.via.branch, message.cseq.method)
