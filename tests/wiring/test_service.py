"""How calls come in, come back, and end, with all that they share."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace

from bridge.errors import Ending, Fault
from bridge.ports import leg, phrases
from bridge.ports.conversation import CallerSaid
from bridge.ports.store import CallState, Left
from bridge.wire import ticket
from bridge.wiring.service import Service
from tests.fakes.model import FakeModel
from tests.wiring.parts import CALL, FRAME, FakeLeg, MoodyStore, a_service, record, until

OVER = Ending(Fault.CALLER, "hangup")


@asynccontextmanager
async def in_progress(
    service: Service, caller: FakeLeg, call_id: str = CALL, fence: int = 0
) -> AsyncIterator[asyncio.Task[Ending]]:
    """A call on this leg, from its start until it is over."""
    claim = await service.claim(call_id, fence)
    assert claim is not None
    attending = asyncio.create_task(service.attend(caller, claim, record(service, call_id)))
    await until(lambda: caller.attached)
    caller.starts()
    yield attending
    await asyncio.wait_for(attending, 5)


async def test_the_model_is_dialled_before_the_caller_is_there() -> None:
    """And once, however often the webhook is delivered."""
    async with a_service() as (service, model, _):
        await asyncio.gather(*(service.expect(record(service)) for _ in range(3)))
        await model.sessions_made(1)
        caller = FakeLeg()
        async with in_progress(service, caller):
            assert service.knows(CALL)
            caller.hangs_up()

    assert model.dials == 1


async def test_a_caller_who_never_comes_leaves_nothing_behind() -> None:
    """The dialled model waits for a while, and is then let go."""
    async with a_service(expected_seconds=0.05) as (service, model, _):
        await service.expect(record(service))
        session = await model.sessions_made(1)
        assert service.knows(CALL)
        await until(lambda: session.closed)

        assert not service.knows(CALL)


async def test_a_service_that_closes_lets_go_of_those_it_expected() -> None:
    """Also of a model that has not yet answered."""
    hangs = asyncio.Event()
    async with a_service(model=FakeModel([None, hangs])) as (service, model, _):
        await service.expect(record(service, "CA" + "2" * 32))
        await model.sessions_made(1)
        await service.expect(record(service, "CA" + "3" * 32))
        await until(lambda: model.dials == 2)

    assert [session.closed for session in model.sessions] == [True]


async def test_a_late_caller_is_still_taken() -> None:
    """With a model that is dialled anew."""
    async with a_service(expected_seconds=0.02) as (service, model, _):
        await service.expect(record(service))
        await until(lambda: model.sessions and model.sessions[0].closed)
        caller = FakeLeg()
        async with in_progress(service, caller):
            await model.sessions_made(2)
            caller.hangs_up()


async def test_a_ticket_is_good_once() -> None:
    """The older leg is not disturbed by a second one."""
    async with a_service() as (service, _, _):
        caller = FakeLeg()
        async with in_progress(service, caller) as attending:
            assert await service.claim(CALL, 0) is None
            assert not attending.done()
            caller.hangs_up()


async def test_a_newer_leg_gets_the_call_with_all_that_is_known() -> None:
    """The older one lets go first, and what it was told is in the record."""
    async with a_service() as (service, model, store):
        older, newer = FakeLeg(), FakeLeg()
        async with in_progress(service, older) as attending:
            await model.sessions_made(1)
            async with in_progress(service, newer, fence=1):
                await asyncio.wait_for(attending, 5)
                assert len(service.switchboard) == 1
                assert store.asked.index("release") < len(store.asked) - 1
                newer.hangs_up()

    assert not any(isinstance(command, leg.Finish) for command in older.done)
    assert isinstance(newer.done[-1], leg.Finish)


async def test_a_call_that_another_worker_had_first_comes_with_its_past() -> None:
    """Though it was expected here: whom we dialled then knows nothing of it."""
    async with a_service() as (service, model, store):
        await service.expect(record(service))
        await model.sessions_made(1)
        elsewhere = await store.claim(CALL, fence=0, claim_id="theirs", worker="another")
        assert elsewhere is not None
        said = (CallerSaid("seven rolls"),)
        await store.save(elsewhere, replace(record(service), history=said))
        caller = FakeLeg()
        async with in_progress(service, caller, fence=1):
            await model.sessions_made(2)
            caller.hangs_up()

    assert [resumption.history for resumption in model.resumptions] == [(), said]


async def test_a_lost_leg_leaves_the_call_waiting() -> None:
    async with a_service() as (service, _, _):
        caller = FakeLeg()
        async with in_progress(service, caller):
            caller.is_lost()

        standing = await service.standing(CALL, leg_ended=True)

    assert standing.state is CallState.WAITING
    assert standing.fence == 1


async def test_without_the_store_callers_are_served_all_the_same() -> None:
    """From the webhook to the end."""
    async with a_service() as (service, model, store):
        store.down = True
        assert (await service.standing(CALL, leg_ended=False)).state is CallState.NEW
        await service.expect(record(service))
        caller = FakeLeg()
        async with in_progress(service, caller):
            await model.sessions_made(1)
            caller.happens(leg.Heard(FRAME))
            await service.end("CA" + "9" * 32, OVER, leg.Hangup())
            caller.hangs_up()

    assert isinstance(caller.done[-1], leg.Finish)


async def test_without_the_store_a_call_in_progress_can_still_come_back() -> None:
    """This worker remembers under which fence it holds the call; used tickets stay used."""
    async with a_service() as (service, model, store):
        older, newer = FakeLeg(), FakeLeg()
        async with in_progress(service, older) as attending:
            await model.sessions_made(1)
            store.down = True
            assert await service.claim(CALL, 0) is None
            standing = await service.standing(CALL, leg_ended=True)
            async with in_progress(service, newer, fence=standing.fence):
                await asyncio.wait_for(attending, 5)
                newer.hangs_up()

    assert (standing.state, standing.fence) == (CallState.LIVE, 1)


async def test_the_carrier_says_that_a_call_is_over() -> None:
    """A live one ends, an expected one is let go, and of an unknown one it is remembered."""
    unknown, expected = "CA" + "2" * 32, "CA" + "3" * 32
    async with a_service() as (service, model, _):
        await service.expect(record(service, expected))
        session = await model.sessions_made(1)
        caller = FakeLeg()
        async with in_progress(service, caller):
            for call_id in (CALL, expected, unknown):
                await service.end(call_id, OVER, leg.Hangup())
        await until(lambda: session.closed)
        standings = [
            (await service.standing(call_id, leg_ended=False)).state
            for call_id in (CALL, expected, unknown)
        ]
        metrics = service.metrics.render()[0].decode()

    assert standings == [CallState.ENDED] * 3
    assert 'bridge_calls_ended_total{carrier="test",fault="caller",reason="hangup"} 1.0' in metrics


async def test_room_is_taken_by_calls_in_progress_and_on_their_way() -> None:
    refusals: list[str | None] = []
    async with a_service(BRIDGE_MAX_CALLS="2") as (service, _, _):
        await service.expect(record(service, "CA" + "2" * 32))
        refusals.append(service.refusal)
        caller = FakeLeg()
        async with in_progress(service, caller):
            refusals.append(service.refusal)
            caller.hangs_up()
        refusals.append(service.refusal)
        service.switchboard.draining = True
        refusals.append(service.refusal)

    assert refusals == [None, "full", None, "draining"]


async def test_a_drain_waits_for_calls_and_then_ends_them_in_words() -> None:
    """Whoever is only expected is not waited for any longer than the others."""
    async with a_service(BRIDGE_DRAIN_SECONDS="0.1") as (service, model, _):
        await service.expect(record(service, "CA" + "2" * 32))
        caller = FakeLeg()
        async with in_progress(service, caller):
            await model.sessions_made(2)
            await service.drain()

        assert not service.knows("CA" + "2" * 32)

    assert caller.done[-1] == leg.Finish(leg.Hangup(phrases.APOLOGY))


async def test_a_drain_hands_calls_over_where_other_workers_can_take_them() -> None:
    """At a turn's boundary, long before its time is up."""
    async with a_service(BRIDGE_DRAIN_SECONDS="30") as (service, model, store):
        store.shared = True
        caller = FakeLeg()
        async with in_progress(service, caller):
            await model.sessions_made(1)
            async with asyncio.timeout(10):
                await service.drain()
        standing = await service.standing(CALL, leg_ended=True)

    assert [asked for asked in store.asked if "release" in asked] == ["release, planned"]
    assert (standing.state, standing.claims) == (CallState.WAITING, 0)
    assert store.saved[-1].left is Left.HANDED_OVER
    assert caller.done == []


async def test_a_call_that_comes_back_to_a_worker_that_stops_has_nowhere_else_to_go() -> None:
    """It goes on here for as long as it can, and is not handed over again."""
    async with a_service(BRIDGE_DRAIN_SECONDS="0.5") as (service, model, store):
        store.shared = True
        older, newer = FakeLeg(), FakeLeg()
        async with in_progress(service, older) as attending:
            await model.sessions_made(1)
            draining = asyncio.create_task(service.drain())
            await asyncio.wait_for(attending, 5)
            async with in_progress(service, newer, fence=1):
                await draining

    assert store.asked.count("release, planned") == 1
    assert newer.done[-1] == leg.Finish(leg.Hangup(phrases.APOLOGY))


async def test_a_drain_of_nothing_is_over_at_once() -> None:
    async with a_service(BRIDGE_DRAIN_SECONDS="60") as (service, _, _):
        async with asyncio.timeout(0.5):
            await service.drain()

        assert service.refusal == "draining"


async def test_tickets_are_signed_by_the_operators_key_or_one_of_this_run() -> None:
    key = "k" * 32
    async with a_service(BRIDGE_SECRET_KEY=key) as (service, _, _), a_service() as (other, _, _):
        mine = service.issue_ticket(CALL, "AC1", 3)
        theirs = other.issue_ticket(CALL, "AC1", 3)

        assert ticket.read(mine, [key.encode()], 0).fence == 3
        assert ticket.read(theirs, other.ticket_keys, 0).call_id == CALL
        assert service.ticket_keys != other.ticket_keys


async def test_the_store_is_closed_last() -> None:
    store: MoodyStore
    async with a_service() as (service, _, store):
        await service.expect(record(service))

    assert store.asked[-1] == "close"
