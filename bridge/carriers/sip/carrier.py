"""
SIP as a carrier: sockets around an endpoint, and a leg for each call.

Rule: what the endpoint says is done in the turn of the loop in which it says it. Who may call
is the endpoint's to know; whether there is room, the front's.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass

from bridge.carriers.sip.accounts import new_endpoint, place_named, plan_of, registry_of
from bridge.carriers.sip.bodies import Unfit, accept_from, answer_to
from bridge.carriers.sip.certificates import server_context
from bridge.carriers.sip.clock import Clock, Sleeper
from bridge.carriers.sip.front import Front, Refusal
from bridge.carriers.sip.invitation import Invitation, read_invitation
from bridge.carriers.sip.leg import Prompts, SipLeg
from bridge.carriers.sip.media import Media
from bridge.carriers.sip.ports import Ports
from bridge.carriers.sip.quotas import Quotas
from bridge.carriers.sip.transports import Tls, Transports
from bridge.config import SipSettings
from bridge.errors import CarrierError, ConfigError, Ending, Fault
from bridge.wire.sip import actions
from bridge.wire.sip.actions import Action
from bridge.wire.sip.endpoint import Endpoint
from bridge.wire.sip.messages import Body
from bridge.wire.sip.places import Place, Transport

__all__ = ["SipCarrier"]

FINISH_SECONDS = 5.0  # in which callers may hear a last recording, or be transferred
GOODBYE_SECONDS = 2.0  # in which peers may answer our last requests
UNREGISTER_SECONDS = 0.5  # for registrars, who may ask for a password first
NO_PORTS_SECONDS = 5  # after which a caller may try again

_SHUT = Ending(Fault.OPERATOR, "drained")
_NO_AUDIO = Ending(Fault.CARRIER, "no_common_codec", "the two ends did not agree on audio")

_log = logging.getLogger(__name__)


@dataclass(slots=True)
class _Taken:
    """One call: its leg, its peer for quotas, and since when."""

    leg: SipLeg
    peer: str | None
    since: float
    early: Body | None = None
    """What the callee said of its audio while it rang."""


@dataclass(frozen=True, slots=True)
class _Line:
    """What a leg can do to its call."""

    carrier: SipCarrier
    call: str

    def hang_up(self, ending: Ending) -> None:
        self.carrier.hang_up(self.call, ending)

    def transfer(self, target: str) -> None:
        self.carrier.transfer(self.call, target)


class SipCarrier:
    """
    All SIP of this process. `open` it inside a running loop, `close` it in the end.

    `address` is what peers are told where the settings do not say it.
    """

    def __init__(
        self,
        settings: SipSettings,
        front: Front,
        prompts: Prompts,
        *,
        tls: Tls | None = None,
        address: str | None = None,
        goodbye_seconds: float = GOODBYE_SECONDS,
    ) -> None:
        self._goodbye_seconds = goodbye_seconds
        self._settings = settings
        self._front = front
        self._prompts = prompts
        host = settings.listen[0].host
        self._address = settings.public_host or address or host
        self._clock = Clock()
        self._ports = Ports(host, *settings.rtp_ports)
        self._quotas = Quotas(settings.peer_calls, settings.peer_minutes)
        self._calls: dict[str, _Taken] = {}
        self._registrations: list[str] = []
        self._alarm = Sleeper(self._time_is_up)
        tls = tls or Tls(server_context(settings.tls_cert, settings.tls_key))
        self._transports = Transports(self._receive, self._unreachable, tls)
        self._endpoint: Endpoint | None = None
        self._said = asyncio.Event()
        self._closed = False
        self.registered: set[str] = set()
        """The registrars that know where we are."""

    @property
    def ports(self) -> dict[Transport, int]:
        """On which it is listened."""
        return self._transports.ports

    @property
    def address(self) -> str:
        return self._address

    @property
    def legs(self) -> Sequence[SipLeg]:
        """The calls in progress."""
        return [taken.leg for taken in self._calls.values()]

    async def open(self, *, register: bool = True) -> None:
        """Listen, and tell the registrars. Raises CarrierError."""
        await self._transports.open([place_named(place) for place in self._settings.listen])
        self._endpoint = new_endpoint(self._settings, self._address, self.ports)
        for registrar in self._settings.registrars if register else ():
            key, said = self._endpoint.register(*registry_of(registrar), self._clock.time())
            self._registrations.append(key)
            self._do(said)

    async def close(self) -> None:
        """Hang up, once who was said goodbye to has heard it. Twice is the same as once."""
        if self._closed:
            return
        self._closed = True
        await self._wait(lambda: not any(each.finishing for each in self.legs), FINISH_SECONDS)
        for call in tuple(self._calls):
            self.hang_up(call, _SHUT)
        for registration in self._registrations:
            self._do(self._sip.unregister(registration, self._clock.time()))
        if self._endpoint is not None:
            await self._be_heard()
        for taken in tuple(self._calls.values()):
            taken.leg.ended(_SHUT)
        self._calls.clear()
        self._clock.close()
        await self._transports.close()

    # Calls

    def dial(self, target: str) -> tuple[SipLeg, Invitation]:
        """
        Call a sip: URI, as the account that we have with its host, if we have one. Raises
        ConfigError for what is no such URI, and CarrierError where there are no ports.
        """
        ports = self._ports.take()
        if ports is None:
            raise CarrierError("BRIDGE_SIP_RTP_PORTS has no free ports")
        media = Media(ports, self._address, self._clock)
        try:
            plan, account = plan_of(self._settings, target, self._address, Body(media.offer()))
        except ConfigError:
            media.close()
            raise
        now = self._clock.time()
        call, said = self._sip.dial(plan, account, now)
        invitation = Invitation(call_id=f"sip-{call}", peer=plan.to.host, called=target)
        caller = SipLeg(invitation.call_id, media, _Line(self, call), self._prompts)
        self._calls[call] = _Taken(caller, None, now)
        self._do(said)
        return caller, invitation

    def hang_up(self, call: str, ending: Ending) -> None:
        self._do(self._sip.hangup(call, self._clock.time(), ending))

    def transfer(self, call: str, target: str) -> None:
        self._do(self._sip.transfer(call, target, self._clock.time()))

    # What happens

    @property
    def _sip(self) -> Endpoint:
        assert self._endpoint is not None, "open it first"
        return self._endpoint

    def _receive(self, data: bytes, source: Place) -> None:
        if self._endpoint is not None:
            self._do(self._endpoint.receive(data, source, self._clock.time()))

    def _unreachable(self, place: Place) -> None:
        if self._endpoint is not None:
            self._do(self._endpoint.unreachable(place, self._clock.time()))

    def _time_is_up(self, now: float) -> float | None:
        self._do(self._sip.time_is_up(now))
        return self._sip.deadline

    def _do(self, said: Sequence[Action]) -> None:
        for action in said:
            match action:
                case actions.Send(message, to):
                    self._transports.send(message.render(), to)
                case actions.Offered():
                    self._on_offered(action)
                case actions.Registered() | actions.Unregistered():
                    self._on_registration(action)
                case actions.Dropped(reason) | actions.TurnedAway(reason):
                    self._front.dropped(reason)
                case fact:
                    if (taken := self._calls.get(fact.call)) is not None:
                        self._on_fact(fact, taken)
        self._clock.set(self._alarm, self._sip.deadline)
        self._said.set()

    def _on_fact(self, fact: actions.CallFact, taken: _Taken) -> None:
        caller = taken.leg
        match fact:
            case actions.Ringing(body=body):
                taken.early = body or taken.early
            case actions.Established(call, body):
                self._on_established(call, body, taken)
            case actions.Reoffered(call, body):
                self._on_reoffered(call, body, caller)
            case actions.OfferAnswered(_, body):
                self._on_offer_answered(body, caller)
            case actions.OfferRefused():
                caller.media.withdraw()
            case actions.DtmfPressed(_, digit):
                caller.info(digit)
            case actions.TransferDone(call, status):
                self._on_transferred(call, status, caller)
            case actions.Ended(call, ending):
                self._on_ended(call, ending)
            case actions.Transferring() | actions.Offered():
                pass

    def _on_offered(self, offered: actions.Offered) -> None:
        invitation = read_invitation(offered)
        now = self._clock.time()
        over = self._quotas.refusal(invitation.peer, now)
        refusal = Refusal(over, 486) if over else self._front.refusal(invitation)
        if refusal is None:
            refusal = self._take(offered, invitation, now)
        if refusal is not None:
            self._front.refused(refusal.reason)
            status, after = refusal.status, refusal.retry_after
            self._do(self._sip.reject(offered.call, status, now, after))

    def _take(self, offered: actions.Offered, invitation: Invitation, now: float) -> Refusal | None:
        ports = self._ports.take()
        if ports is None:
            return Refusal("no-ports", 503, NO_PORTS_SECONDS)
        media = Media(ports, self._address, self._clock)
        try:
            body = answer_to(media, offered.body)
        except Unfit as unfit:
            media.close()
            return Refusal(unfit.reason, unfit.status)
        call = offered.call
        caller = SipLeg(invitation.call_id, media, _Line(self, call), self._prompts)
        self._calls[call] = _Taken(caller, invitation.peer, now)
        self._quotas.begin(invitation.peer, now)
        if media.agreed:
            media.start()
        self._front.taken(caller, invitation)
        self._do(self._sip.answer(call, body, now))
        return None

    def _on_established(self, call: str, body: Body | None, taken: _Taken) -> None:
        media = taken.leg.media
        if not media.agreed:
            said = body or taken.early
            try:
                accept_from(media, said)
            except Unfit:
                self.hang_up(call, _NO_AUDIO)
                return
            media.start()
        taken.since = self._clock.time()
        taken.leg.established()

    def _on_reoffered(self, call: str, body: Body | None, caller: SipLeg) -> None:
        now = self._clock.time()
        try:
            answer = answer_to(caller.media, body)
        except Unfit as unfit:
            self._do(self._sip.reject(call, unfit.status, now))
        else:
            self._do(self._sip.answer(call, answer, now))

    def _on_offer_answered(self, body: Body | None, caller: SipLeg) -> None:
        try:
            accept_from(caller.media, body)
        except Unfit:
            caller.media.withdraw()  # what held before holds on

    def _on_transferred(self, call: str, status: int, caller: SipLeg) -> None:
        if 200 <= status < 300:
            self.hang_up(call, Ending(Fault.NOBODY, "transferred"))
        else:
            _log.warning("a caller could not be transferred: the peer says %d", status)
            self._front.dropped("transfer-refused")
            caller.not_transferred()

    def _on_ended(self, call: str, ending: Ending) -> None:
        taken = self._calls.pop(call)
        if taken.peer is not None:
            self._quotas.end(taken.peer, self._clock.time() - taken.since)
        taken.leg.ended(ending)
        self._front.over(taken.leg)

    def _on_registration(self, told: actions.Registered | actions.Unregistered) -> None:
        match told:
            case actions.Registered(name):
                if name not in self.registered:
                    _log.info("a registrar knows where we are")
                self.registered.add(name)
            case actions.Unregistered(name, status):
                self.registered.discard(name)
                self._front.dropped("unregistered")
                _log.warning("a registrar does not know where we are: it says %d", status)

    # How

    async def _be_heard(self) -> None:
        """Until our last requests are answered, or nobody seems to."""
        await self._wait(lambda: not self._sip.calls, self._goodbye_seconds)
        if self._registrations:
            await asyncio.sleep(UNREGISTER_SECONDS)

    async def _wait(self, condition: Callable[[], bool], seconds: float) -> None:
        """Until it is true, which is seen when SIP has something to say, or for so long."""
        with suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                while not condition():
                    self._said.clear()
                    await self._said.wait()
