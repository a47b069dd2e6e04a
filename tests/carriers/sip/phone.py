"""
A telephone: SIP by an endpoint of its own, RTP by hand.

What it hears is kept as it came, packet for packet, and it says exactly what it is told.
"""

from __future__ import annotations

import asyncio
import itertools
import secrets
import socket
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Any, TypeVar

from bridge.carriers.sip.ports import Ports
from bridge.carriers.sip.transports import Tls, Transports
from bridge.wire.rtp import events, packet
from bridge.wire.rtp.packet import Packet
from bridge.wire.sip import actions, reader
from bridge.wire.sip.actions import Action, Fact, Send
from bridge.wire.sip.endpoint import Endpoint
from bridge.wire.sip.identity import Identity
from bridge.wire.sip.login import Account
from bridge.wire.sip.messages import SDP, Body, Headers, Message, Request
from bridge.wire.sip.outgoing import Plan
from bridge.wire.sip.peers import Peers
from bridge.wire.sip.places import Place, Transport
from tests.wire.sip.scripts import response_to

__all__ = ["FRAME", "HOST", "SILENCE", "Phone", "free_ports", "phone", "sdp", "until"]

HOST = "127.0.0.1"
FRAME = 160  # bytes of 20 ms
FRAME_SECONDS = 0.02
SILENCE = b"\xff" * FRAME
KEYS = 101

_F = TypeVar("_F", bound=Fact)
_T = TypeVar("_T")


def sdp(port: int, codecs: str = "0 101", direction: str = "sendrecv") -> bytes:
    """A description as a telephone would write it."""
    lines = [
        "v=0",
        f"o=phone 1 {next(_VERSIONS)} IN IP4 {HOST}",
        "s=-",
        f"c=IN IP4 {HOST}",
        "t=0 0",
        f"m=audio {port} RTP/AVP {codecs}",
        f"a=rtpmap:{KEYS} telephone-event/8000",
        f"a={direction}",
    ]
    return "".join(f"{line}\r\n" for line in lines).encode()


async def until(condition: Callable[[], _T | None], seconds: float = 10.0) -> _T:
    """Wait until this is true, or raise TimeoutError."""
    async with asyncio.timeout(seconds):
        while not (found := condition()):
            await asyncio.sleep(0.005)
        return found


@dataclass
class Phone:
    """`bridge` is whom it calls. `says` answers an offer that comes to it; b"": it is busy."""

    bridge: Place
    says: bytes = b"as it is"
    codecs: str = "0 101"
    facts: list[Fact] = field(default_factory=list)
    messages: list[Message] = field(default_factory=list)
    """All that came."""
    heard: list[Packet] = field(default_factory=list)
    acknowledges: bytes = b""
    """An answer that goes out with the ACK, where the bridge made the offer."""
    takes_refer: int = 0
    """The new callee's status when it is referred; 0: it refuses to be."""

    def __post_init__(self) -> None:
        self.loop = asyncio.get_running_loop()
        self.call = ""
        self.rtp_to: tuple[str, int] | None = None
        self._sequence = itertools.count(1)
        self._timestamp = 0
        self._alarm: asyncio.TimerHandle | None = None
        self.hears_nothing = False

    async def open(self, transport: Transport, tls: Tls | None) -> None:
        self._transports = Transports(self._receive, self._unreachable, tls)
        listens = Transport.UDP if transport is Transport.UDP else Transport.TCP
        await self._transports.open([Place(listens, HOST, 0)])
        port = self._transports.ports[listens]
        random = partial(secrets.token_hex, 12)
        identity = Identity(HOST, port, random, user="phone")
        self.place = Place(listens, HOST, port)
        self.endpoint = Endpoint(identity, Peers([f"{HOST}/32"]))
        pair = Ports(HOST, *free_ports()).take()
        assert pair is not None
        pair.open(self._hears, lambda report, source: None)
        self._rtp, self.rtp_port = pair, pair.port

    async def close(self) -> None:
        """Hang up and be gone."""
        for call in self.endpoint.calls:
            self.does(self.endpoint.hangup(call, self.loop.time()))
        with suppress(TimeoutError):
            await until(lambda: not self.endpoint.calls, 0.2)
        if self._alarm is not None:
            self._alarm.cancel()
        self._rtp.close()
        await self._transports.close()

    # SIP

    def dials(
        self,
        body: bytes | None = None,
        *,
        account: Account | None = None,
        headers: Headers = (),
        number: str = "+14155550123",
    ) -> str:
        """An INVITE goes out."""
        offer = sdp(self.rtp_port, self.codecs) if body is None else body
        plan = Plan(
            f"sip:{number}@{HOST}",
            f"sip:+14155550100@{HOST}",
            self.bridge,
            Body(offer),
            headers=headers,
        )
        self.call, said = self.endpoint.dial(plan, account, self.loop.time())
        self.does(said)
        return self.call

    async def calls(self, body: bytes | None = None, **options: Any) -> str:
        """A call, answered."""
        call = self.dials(body, **options)
        established = await self.told(actions.Established)
        assert established.body is not None
        self.follow(established.body.content)
        return call

    def follow(self, description: bytes) -> None:
        """Send RTP to where a description says."""
        [line] = [line for line in description.decode().splitlines() if line.startswith("m=")]
        self.rtp_to = (HOST, int(line.split()[1]))

    async def reoffers(self, direction: str) -> bytes:
        """A re-INVITE; returns the answer."""
        known = len([one for one in self.facts if isinstance(one, actions.OfferAnswered)])
        body = Body(sdp(self.rtp_port, self.codecs, direction))
        self.does(self.endpoint.offer(self.call, body, self.loop.time()))
        answered = await until(lambda: self.all(actions.OfferAnswered)[known:])
        assert answered[0].body is not None
        return answered[0].body.content

    def hangs_up(self) -> None:
        self.does(self.endpoint.hangup(self.call, self.loop.time()))

    def sends(self, method: str, body: Body | None = None, headers: Headers = ()) -> None:
        """Any request within the call, of which nobody here waits for the answer."""
        owner = self.endpoint._owners[self.call]
        request = owner._talk.dialog.request(method, headers=headers, body=body)  # type: ignore[union-attr]
        hop = owner._talk.dialog.hop  # type: ignore[union-attr]
        self._transports.send(request.render(), hop)

    def all(self, kind: type[_F]) -> list[_F]:
        return [fact for fact in self.facts if isinstance(fact, kind)]

    async def told(self, kind: type[_F]) -> _F:
        """The first fact of a kind, as soon as it is there."""
        return (await until(lambda: self.all(kind)))[0]

    def does(self, said: Sequence[Action]) -> None:
        for action in said:
            match action:
                case Send(message, to):
                    self._transports.send(self._completed(message).render(), to)
                case fact:
                    self.facts.append(fact)
                    self._reacts(fact)
        self._wait()

    def _completed(self, message: Message) -> Message:
        if not self.acknowledges or not isinstance(message, Request) or message.method != "ACK":
            return message
        headers = (*message.headers, ("Content-Type", SDP))
        return replace(message, headers=headers, body=self.acknowledges)

    def _reacts(self, fact: Fact) -> None:
        now = self.loop.time()
        match fact:
            case actions.Offered(call=call, body=body):
                self.call = call
                if not self.says:
                    self.does(self.endpoint.reject(call, 486, now))
                    return
                if body is not None:
                    self.follow(body.content)
                answer = sdp(self.rtp_port, self.codecs)
                self.does(self.endpoint.answer(call, Body(answer), now))
            case _:
                pass

    def _receive(self, data: bytes, source: Place) -> None:
        message = reader.read(data)
        self.messages.append(message)
        if self.hears_nothing:
            return
        if isinstance(message, Request) and message.method == "REFER" and self.takes_refer:
            self._is_referred(message, source)
            return
        self.does(self.endpoint.receive(data, source, self.loop.time()))

    def _is_referred(self, refer: Request, source: Place) -> None:
        self._transports.send(response_to(refer, 202).render(), source)
        for status, state in ((100, "active;expires=60"), (self.takes_refer, "terminated")):
            body = Body(f"SIP/2.0 {status} Whatever\r\n".encode(), "message/sipfrag")
            self.sends("NOTIFY", body, (("Event", "refer"), ("Subscription-State", state)))

    def _unreachable(self, place: Place) -> None:
        self.does(self.endpoint.unreachable(place, self.loop.time()))

    def _wait(self) -> None:
        if self._alarm is not None:
            self._alarm.cancel()
        deadline = self.endpoint.deadline
        self._alarm = None if deadline is None else self.loop.call_at(deadline, self._is_woken)

    def _is_woken(self) -> None:
        self.does(self.endpoint.time_is_up(self.loop.time()))

    # RTP

    def sends_rtp(self, payload: bytes, payload_type: int = 0, *, marker: bool = False) -> None:
        """One packet, now."""
        assert self.rtp_to is not None
        data = packet.write(
            payload_type, next(self._sequence), self._timestamp, 77, payload, marker=marker
        )
        self._rtp.send_rtp(data, self.rtp_to)

    async def talks(self, audio: bytes, payload_type: int = 0) -> None:
        """Say something, as fast as one speaks."""
        begun = self.loop.time()
        for number, start in enumerate(range(0, len(audio), FRAME)):
            self.sends_rtp(audio[start : start + FRAME], payload_type)
            self._timestamp += FRAME
            await asyncio.sleep(begun + (number + 1) * FRAME_SECONDS - self.loop.time())

    def presses(self, digit: str) -> None:
        """A whole press of a key, by RTP."""
        for number, payload in enumerate(events.Press(digit, 800).payloads(FRAME)):
            self.sends_rtp(payload, KEYS, marker=number == 0)
        self._timestamp += 1600

    def _hears(self, data: bytes, source: tuple[str, int]) -> None:
        self.heard.append(packet.read(data))

    @property
    def voice(self) -> bytes:
        """All that was heard but silence."""
        return b"".join(each.payload for each in self.heard if set(each.payload) != {0xFF})


@asynccontextmanager
async def phone(bridge: Place, tls: Tls | None = None, **options: Any) -> AsyncIterator[Phone]:
    """A telephone that is switched on."""
    one = Phone(bridge, **options)
    await one.open(bridge.transport, tls)
    try:
        yield one
    finally:
        await one.close()


def free_ports(count: int = 40) -> tuple[int, int]:
    """A range of ports of which, a moment ago, the first was free."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as one:
        one.bind((HOST, 0))
        first = min(int(one.getsockname()[1]), 65_000)
    first += first % 2
    return first, first + count - 1


_VERSIONS = itertools.count(1)
