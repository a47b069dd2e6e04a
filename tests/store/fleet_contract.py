"""
What every fleet promises, whatever it is made of.

Whoever stands behind the door inherits FleetContract and has the fixtures `store` and `fleet`,
of which the one tells what the other stores, and `pass_time`.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

from bridge.ports import leg
from bridge.ports.fleet import Fleet, Pulse
from bridge.ports.store import CallRecord, CallState, CallStore, Claim

__all__ = ["FleetContract"]

CALL = "CA1"
PULSE = Pulse("w1", "host", 17, "1.2.3", draining=True, calls=3, capacity=20, path="/phone")
PassTime = Callable[[float], Awaitable[None]]


async def claimed(store: CallStore, call_id: str = CALL, worker: str = "w1") -> Claim:
    """A call that has come in, or back, and was claimed."""
    await store.expect(CallRecord(call_id, carrier="twilio"))
    standing = await store.standing(call_id)
    claim = await store.claim(
        call_id, fence=standing.fence, claim_id=f"{worker}-{standing.fence}", worker=worker
    )
    assert claim is not None
    return claim


class FleetContract:
    """Inherit it."""

    async def test_a_worker_is_seen(self, fleet: Fleet) -> None:
        """With all that it tells, and how long ago."""
        await fleet.beat(Pulse("w1"))
        await fleet.beat(PULSE)
        await fleet.beat(Pulse("w2"))

        members = {member.pulse.worker: member for member in await fleet.members()}

        assert members.keys() == {"w1", "w2"}
        assert members["w1"].pulse == PULSE
        assert members["w1"].silent_seconds < 4.0

    async def test_silence_is_measured(self, fleet: Fleet, pass_time: PassTime) -> None:
        await fleet.beat(Pulse("w1"))
        await pass_time(0.05)
        [member] = await fleet.members()

        assert 0.04 <= member.silent_seconds < 4.0

    async def test_whoever_says_goodbye_has_been_silent_for_long(self, fleet: Fleet) -> None:
        """It is remembered, because calls may be left in its name."""
        await fleet.beat(PULSE)
        await fleet.leave(PULSE)
        [member] = await fleet.members()

        assert member.silent_seconds >= 600.0
        assert member.pulse == PULSE

    async def test_the_mark_stays(self, fleet: Fleet) -> None:
        assert await fleet.mark() == await fleet.mark()

    async def test_how_a_call_is_held(self, store: CallStore, fleet: Fleet) -> None:
        """From the first question to the end."""
        assert await fleet.holding(CALL) is None

        await store.expect(CallRecord(CALL))
        holding = await fleet.holding(CALL)
        assert holding is not None
        assert (holding.state, holding.fence, holding.owner) == (CallState.NEW, 0, "")
        assert (holding.shown, holding.asked_seconds, holding.leased) == (None, None, False)

        claim = await claimed(store)
        holding = await fleet.holding(CALL)
        assert holding is not None
        assert (holding.state, holding.fence, holding.owner) == (CallState.LIVE, claim.fence, "w1")
        assert (holding.shown, holding.asked_seconds, holding.leased) == (0, None, True)

        await store.release(claim, CallRecord(CALL))
        holding = await fleet.holding(CALL)
        assert holding is not None
        assert (holding.state, holding.leased) == (CallState.WAITING, False)

        await store.end(CALL, leg.Hangup())
        holding = await fleet.holding(CALL)
        assert holding is not None
        assert holding.state is CallState.ENDED

    async def test_the_ticket_of_the_last_claim_is_known(
        self, store: CallStore, fleet: Fleet
    ) -> None:
        """So that the end of an older leg is not taken for the end of this one."""
        first = await claimed(store)
        second = await claimed(store, worker="w2")
        holding = await fleet.holding(CALL)

        assert holding is not None
        assert (holding.shown, holding.fence) == (first.fence, second.fence)

    async def test_that_the_carrier_asked_is_known_until_the_next_claim(
        self, store: CallStore, fleet: Fleet, pass_time: PassTime
    ) -> None:
        """Also where the leg was let go of on purpose."""
        for planned in (False, True):
            claim = await claimed(store)
            holding = await fleet.holding(CALL)
            assert holding is not None
            assert holding.asked_seconds is None

            await store.release(claim, CallRecord(CALL), planned=planned)
            await store.standing(CALL, leg_ended=True)
            await pass_time(0.02)
            holding = await fleet.holding(CALL)

            assert holding is not None
            assert holding.asked_seconds is not None
            assert 0.01 <= holding.asked_seconds < 4.0

    async def test_calls_are_adrift_without_a_leg_or_an_owner(
        self, store: CallStore, fleet: Fleet
    ) -> None:
        """Calls that are new, over, or held by others are none."""
        await store.expect(CallRecord("CA-new"))
        await claimed(store, "CA-mine", worker="alive")
        await claimed(store, "CA-orphan", worker="dead")
        over = await claimed(store, "CA-over", worker="dead")
        await store.end("CA-over", leg.Hangup(), claim=over)
        waits = await claimed(store, "CA-waits", worker="alive")
        await store.release(waits, CallRecord("CA-waits", carrier="twilio"))

        async with asyncio.timeout(5):  # the list of calls may be written a little later
            while len(found := await fleet.adrift({"dead"})) < 2:
                await asyncio.sleep(0.01)

        assert {each.call_id: each.state for each in found} == {
            "CA-orphan": CallState.LIVE,
            "CA-waits": CallState.WAITING,
        }

    async def test_one_rescues_at_a_time(self, fleet: Fleet, pass_time: PassTime) -> None:
        """Each attempt counts once; other calls have nothing to do with it."""
        assert await fleet.reserve(CALL, "a", 0.2) == 1
        assert await fleet.reserve(CALL, "a", 0.2) == 1
        assert await fleet.reserve("CA2", "b", 60.0) == 1

        assert await fleet.reserve(CALL, "b", 60.0) in {0, 2}  # a slow machine takes its time
        await pass_time(0.25)
        assert await fleet.reserve("CA2", "c", 60.0) == 0

    async def test_rescues_are_counted(self, fleet: Fleet, pass_time: PassTime) -> None:
        counts = []
        for attempt in "abc":
            counts.append(await fleet.reserve(CALL, attempt, 0.01))
            await pass_time(0.05)

        assert counts == [1, 2, 3]
