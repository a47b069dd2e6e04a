"""A caller and an endpoint to talk to, with a clock of paper."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import dataclass, field

from bridge.wire.sip import actions
from bridge.wire.sip.actions import Action, Send
from bridge.wire.sip.endpoint import Endpoint
from bridge.wire.sip.guard import Guard
from bridge.wire.sip.identity import Identity, Random
from bridge.wire.sip.messages import Body, Headers, Message, Request, Response
from bridge.wire.sip.peers import Peers, Rules
from bridge.wire.sip.places import Place, Transport

CALLER = Place(Transport.UDP, "192.0.2.10", 5060)
STREAM = Place(Transport.TCP, "192.0.2.10", 40_000, 7)
STRANGER = Place(Transport.UDP, "203.0.113.66", 5060)
OFFER = Body(b"v=0 offer\r\n")
ANSWER = Body(b"v=0 answer\r\n")


def tokens(prefix: str = "r") -> Random:
    """Random tokens that are not."""
    numbers = itertools.count(1)
    return lambda: f"{prefix}{next(numbers)}"


def identity() -> Identity:
    return Identity("198.51.100.7", 5060, tokens())


def endpoint(rules: Rules | None = None, guard: Guard | None = None) -> Endpoint:
    return Endpoint(identity(), Peers(["192.0.2.0/24"], rules), guard)


def sent(happened: Sequence[Action]) -> list[Message]:
    return [action.message for action in happened if isinstance(action, Send)]


def statuses(happened: Sequence[Action]) -> list[int]:
    return [message.status for message in sent(happened) if isinstance(message, Response)]


def methods(happened: Sequence[Action]) -> list[str]:
    return [message.method for message in sent(happened) if isinstance(message, Request)]


def facts(happened: Sequence[Action]) -> list[actions.Fact]:
    return [action for action in happened if not isinstance(action, Send)]


def endings(happened: Sequence[Action]) -> list[str]:
    return [action.ending.reason for action in happened if isinstance(action, actions.Ended)]


@dataclass
class Caller:
    """The other end, which says exactly what it is told to say."""

    bridge: Endpoint
    place: Place = CALLER
    call_id: str = "c1@192.0.2.10"
    tag: str = "caller"
    to_tag: str | None = None
    number: int = 0
    now: float = 0.0
    call: str = ""
    branches: Random = field(default_factory=lambda: tokens("z9hG4bK-b"))

    def request(
        self,
        method: str,
        headers: Headers = (),
        body: Body | None = None,
        *,
        number: int | None = None,
        branch: str | None = None,
        uri: str = "sip:agent@198.51.100.7",
    ) -> Request:
        if number is None:
            self.number += 1
            number = self.number
        to_tag = f";tag={self.to_tag}" if self.to_tag else ""
        via = f"SIP/2.0/{self.place.transport} 192.0.2.10:5060;branch={branch or self.branches()}"
        contact: Headers = (("Contact", "<sip:caller@192.0.2.10:5060>"),)
        typed: Headers = () if body is None else (("Content-Type", body.type),)
        return Request(
            method,
            uri,
            (
                ("Via", via),
                ("Max-Forwards", "70"),
                ("From", f"<sip:caller@192.0.2.10>;tag={self.tag}"),
                ("To", f"<sip:agent@198.51.100.7>{to_tag}"),
                ("Call-ID", self.call_id),
                ("CSeq", f"{number} {method}"),
                *(contact if method in ("INVITE", "UPDATE") else ()),
                *headers,
                *typed,
            ),
            body.content if body else b"",
        )

    def says(self, message: Message) -> list[Action]:
        return self.bridge.receive(message.render(), self.place, self.now)

    def asks(self, method: str, headers: Headers = (), body: Body | None = None) -> list[Action]:
        return self.says(self.request(method, headers, body))

    def invites(self, headers: Headers = (), body: Body | None = OFFER) -> Request:
        """An INVITE that has arrived."""
        invite = self.request("INVITE", headers, body)
        for action in self.says(invite):
            if isinstance(action, actions.Offered):
                self.call = self.to_tag = action.call
        return invite

    def acknowledges(self, invite: Request, body: Body | None = None) -> list[Action]:
        return self.says(self.request("ACK", (), body, number=invite.cseq.number))

    def talks(self, headers: Headers = ()) -> Request:
        """A whole call, established."""
        invite = self.invites(headers)
        self.bridge.answer(self.call, ANSWER, self.now)
        self.acknowledges(invite)
        return invite

    def answers(
        self,
        request: Message,
        status: int,
        headers: Headers = (),
        body: Body | None = None,
        tag: str | None = None,
    ) -> list[Action]:
        """A response to a request of the bridge's."""
        assert isinstance(request, Request)
        return self.says(response_to(request, status, headers, body, tag or self.tag))

    def waits(self, seconds: float) -> list[Action]:
        """Time passes as under a carrier: the endpoint is woken when it wants to be."""
        until, happened = self.now + seconds, list[Action]()
        while (deadline := self.bridge.deadline) is not None and deadline <= until:
            self.now = max(self.now, deadline)
            happened += self.bridge.time_is_up(self.now)
        self.now = until
        return happened


def response_to(
    request: Request, status: int, headers: Headers = (), body: Body | None = None, tag: str = ""
) -> Response:
    """A response as a peer would write it."""
    copied: list[tuple[str, str]] = []
    for name, value in request.headers:
        if name in ("Via", "From", "Call-ID", "CSeq"):
            copied.append((name, value))
        elif name == "To":
            tagged = "tag=" in value or not tag or status == 100
            copied.append((name, value if tagged else f"{value};tag={tag}"))
    contact: Headers = (("Contact", "<sip:callee@192.0.2.10:5060>"),)
    typed: Headers = () if body is None else (("Content-Type", body.type),)
    content = body.content if body else b""
    return Response(status, "Whatever", (*copied, *contact, *headers, *typed), content)
