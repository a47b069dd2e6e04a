"""
SIP at the door of the service: who is let in, who attends to a call, what is counted.

Rule: whatever happens in one call, the others and the sockets go on.
"""

from __future__ import annotations

import asyncio
import logging
from collections import Counter
from collections.abc import AsyncIterator, Callable, Coroutine, Iterator
from contextlib import asynccontextmanager
from functools import cache
from typing import Any

from bridge.carriers.sip.carrier import SipCarrier
from bridge.carriers.sip.front import Refusal
from bridge.carriers.sip.invitation import Invitation
from bridge.carriers.sip.leg import SipLeg
from bridge.carriers.sip.transports import Tls
from bridge.config import SipSettings
from bridge.errors import Ending, Fault
from bridge.ports import leg
from bridge.ports.store import CallRecord
from bridge.providers.offline.clips import recorded
from bridge.telemetry.logs import in_call
from bridge.wire.rtp.statistics import Statistics
from bridge.wiring.service import Service
from bridge.wiring.tallies import Growth

__all__ = ["CARRIER", "SipFront", "answering_sip", "prompt_for"]

CARRIER = "sip"
RETRY_SECONDS = 10  # after which a caller who found no room may try again
FAREWELL_SECONDS = 5.0  # in which calls that are still attended to at the end let go

_OVER = Ending(Fault.CARRIER, "lost", "the call is over already")
_SORRY = ("i", "am", "sorry")
_GOODBYE = ("goodbye",)
_TRANSFERRING = ("i", "am", "transferring", "you", "now")

_log = logging.getLogger(__name__)


@asynccontextmanager
async def answering_sip(service: Service, tls: Tls | None = None) -> AsyncIterator[SipFront | None]:
    """
    Answer SIP for as long as this lasts; None where it is off. Raises ConfigError for a
    certificate that cannot be used, and CarrierError where it cannot listen.
    """
    if not service.config.sip.listen:
        yield None
        return
    front = SipFront(service, service.config.sip, tls=tls)
    await front.open()
    _log.info("answering SIP")
    try:
        yield front
    finally:
        await front.close()


def prompt_for(verdict: leg.Verdict) -> bytes:
    """What a caller hears in place of a verdict's words: an apology in English, mu-law."""
    return _prompt(transferring=isinstance(verdict, leg.Transfer))


@cache
def _prompt(*, transferring: bool) -> bytes:
    clips = recorded()
    phrases = (_SORRY, _TRANSFERRING if transferring else _GOODBYE)
    return b"".join(clips.get(phrase, ending=True) for phrase in phrases)


class SipFront:
    """Between `open` and `close` calls are answered."""

    def __init__(
        self,
        service: Service,
        settings: SipSettings,
        *,
        tls: Tls | None = None,
        address: str | None = None,
    ) -> None:
        self._service = service
        self._calls: set[asyncio.Task[None]] = set()
        self.carrier = SipCarrier(settings, self, prompt_for, tls=tls, address=address)

    async def open(self, *, register: bool = True) -> None:
        """Raises CarrierError where it cannot listen. `register`: calls are to come here."""
        await self.carrier.open(register=register)

    async def close(self) -> None:
        """Hang up what is left, and close the sockets."""
        await self.carrier.close()
        if self._calls:
            await asyncio.wait(self._calls, timeout=FAREWELL_SECONDS)
        for call in tuple(self._calls):
            call.cancel()
        await asyncio.gather(*self._calls, return_exceptions=True)

    async def dial(self, target: str, answered: Callable[[], None]) -> Ending:
        """
        Call somebody, and let the agent talk to them until the call is over; `answered` is
        told when it begins. Returns why it is over. Raises ConfigError and CarrierError.
        """
        caller, invitation = self.carrier.dial(target)
        if await caller.answered():
            answered()
            with in_call(invitation.call_id):
                return await self._attend(caller, invitation)
        return caller.ending or _OVER

    # What the carrier asks and tells

    def refusal(self, invitation: Invitation) -> Refusal | None:
        service = self._service
        if service.knows(invitation.call_id):
            return Refusal("twice", 482)
        match service.refusal:
            case None:
                return None
            case "full":
                return Refusal("full", 486, RETRY_SECONDS)
            case reason:  # a proxy may well find another bridge
                return Refusal(reason, 503, RETRY_SECONDS)

    def taken(self, caller: SipLeg, invitation: Invitation) -> None:
        self._begin(self._take(caller, invitation))

    def refused(self, reason: str) -> None:
        self._service.metrics.call_refused(CARRIER, reason)

    def dropped(self, reason: str) -> None:
        self._service.metrics.bad_frame(CARRIER, reason)

    def over(self, caller: SipLeg) -> None:
        if caller.media.agreed:
            jitter = caller.media.statistics().jitter_ms
            self._service.metrics.rtp_jittered(CARRIER, jitter / 1000)

    # How

    async def _take(self, caller: SipLeg, invitation: Invitation) -> None:
        """A call that comes in: the model is dialled while its answer is acknowledged."""
        try:
            with in_call(invitation.call_id):
                await self._service.expect(self._record(invitation))
                if await caller.answered():
                    await self._attend(caller, invitation)
                elif caller.ending is not None:
                    await self._service.end(invitation.call_id, caller.ending, leg.Hangup())
        except Exception:
            _log.exception("a fault of ours in a SIP call: it is hung up")
            caller.do(leg.Finish(leg.Hangup()))

    async def _attend(self, caller: SipLeg, invitation: Invitation) -> Ending:
        service, call_id = self._service, invitation.call_id
        standing = await service.standing(call_id, leg_ended=False)
        claim = await service.claim(call_id, standing.fence)
        if claim is None:
            # The same call again, long after it was over.
            self.dropped("call-over")
            caller.do(leg.Finish(leg.Hangup()))
            return _OVER
        with service.tallies.keep(self._tally(caller)):
            record = self._record(invitation)
            return await service.attend(caller, claim, record, returns=False)

    def _record(self, invitation: Invitation) -> CallRecord:
        return self._service.new_record(
            invitation.call_id,
            carrier=CARRIER,
            caller=invitation.caller,
            called=invitation.called,
            parameters=invitation.parameters,
        )

    def _tally(self, caller: SipLeg) -> Callable[[], None]:
        """Adds to the metrics what came and went on a leg since the last time."""
        metrics, media = self._service.metrics, caller.media
        flow = metrics.flow(CARRIER)
        dropped_out = Growth(lambda: media.dropped_seconds)
        dropped_in = Growth(lambda: caller.unheard * 0.02)
        packets, mended = Counter[str](), Counter[str]()

        def count() -> None:
            flow.dropped_out += dropped_out.take()
            flow.dropped_in += dropped_in.take()
            came = media.statistics()
            for outcome, grown in _grown(packets, _packets(came)):
                metrics.rtp_came(CARRIER, outcome, grown)
            for how, grown in _grown(mended, _mended_ms(came)):
                metrics.rtp_mended(CARRIER, how, grown / 1000)

        return count

    def _begin(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.create_task(work, name="sip call")
        self._calls.add(task)
        task.add_done_callback(self._calls.discard)


def _packets(came: Statistics) -> Counter[str]:
    return Counter(
        received=came.received,
        lost=came.lost,
        late=came.late,
        duplicate=came.duplicate,
        malformed=came.malformed,
        unknown=came.unknown,
        astray=came.astray,
        stranger=came.strangers,
    )


def _mended_ms(came: Statistics) -> Counter[str]:
    return Counter(
        concealed=came.concealed_ms, skipped=came.skipped_ms, stretched=came.stretched_ms
    )


def _grown(counted: Counter[str], figures: Counter[str]) -> Iterator[tuple[str, int]]:
    """What is new. What was thought lost and came late does not count back."""
    for name, figure in figures.items():
        if figure > counted[name]:
            yield name, figure - counted[name]
            counted[name] = figure
