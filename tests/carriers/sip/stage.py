"""A SIP carrier on loopback, and a front that remembers what it is told."""

from __future__ import annotations

from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

from bridge.carriers.sip.carrier import SipCarrier
from bridge.carriers.sip.front import Refusal
from bridge.carriers.sip.invitation import Invitation
from bridge.carriers.sip.leg import SipLeg
from bridge.carriers.sip.transports import Tls
from bridge.config import SipPlace, SipSettings
from bridge.ports import leg
from bridge.wire.sip.places import Place, Transport
from tests.carriers.sip.phone import HOST, free_ports, until

__all__ = ["PROMPT", "FakeFront", "Stage", "Taken", "on_stage"]

PROMPT = bytes(range(1, 161)) * 5


@dataclass
class Taken:
    """A call that was answered, and what its leg told."""

    caller: SipLeg
    invitation: Invitation
    events: list[leg.LegEvent] = field(default_factory=list)

    def heard(self) -> list[bytes]:
        return [event.audio for event in self.events if isinstance(event, leg.Heard)]

    def played(self) -> list[str]:
        return [event.mark for event in self.events if isinstance(event, leg.Played)]

    def digits(self) -> str:
        return "".join(event.digit for event in self.events if isinstance(event, leg.Digit))

    @property
    def ended(self) -> leg.Ended | None:
        return next((event for event in self.events if isinstance(event, leg.Ended)), None)


class FakeFront:
    """Takes every call but those it has a refusal for."""

    def __init__(self) -> None:
        self.refuses: Refusal | None = None
        self.calls: list[Taken] = []
        self.refusals: Counter[str] = Counter()
        self.drops: Counter[str] = Counter()
        self.done: list[SipLeg] = []

    def refusal(self, invitation: Invitation) -> Refusal | None:
        return self.refuses

    def taken(self, caller: SipLeg, invitation: Invitation) -> None:
        call = Taken(caller, invitation)
        caller.attach(call.events.append)
        self.calls.append(call)

    def refused(self, reason: str) -> None:
        self.refusals[reason] += 1

    def dropped(self, reason: str) -> None:
        self.drops[reason] += 1

    def over(self, caller: SipLeg) -> None:
        self.done.append(caller)


@dataclass
class Stage:
    carrier: SipCarrier
    front: FakeFront

    def place(self, transport: Transport = Transport.UDP, host: str = HOST) -> Place:
        """Where the carrier is called."""
        return Place(transport, host, self.carrier.ports[transport])

    async def call(self) -> Taken:
        """The first call, once it is established."""
        await until(lambda: self.front.calls and self.front.calls[-1].events)
        return self.front.calls[-1]


@asynccontextmanager
async def on_stage(
    *transports: str, tls: Tls | None = None, peers: tuple[str, ...] = (f"{HOST}/32",), **more: Any
) -> AsyncIterator[Stage]:
    """A carrier that trusts this machine, unless it is told otherwise."""
    listen = tuple(SipPlace(each, HOST, 0) for each in transports or ("udp",))
    settings = SipSettings(listen=listen, peers=peers, **{"rtp_ports": free_ports(), **more})
    front = FakeFront()
    carrier = SipCarrier(settings, front, lambda _: PROMPT, tls=tls, goodbye_seconds=0.3)
    await carrier.open()
    try:
        yield Stage(carrier, front)
    finally:
        await carrier.close()
