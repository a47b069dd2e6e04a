"""The store in memory: the reference, and what it forgets when."""

from __future__ import annotations

import pytest

from bridge.ports import leg
from bridge.ports.store import CallRecord, CallState, Saved
from bridge.store.memory import KEEP_ENDED, KEEP_LIVE, KEEP_WAITING, LOOP_WINDOW, MemoryStore
from tests.store.conftest import Clock
from tests.store.contract import StoreContract, claimed


@pytest.fixture
def store(clock: Clock) -> MemoryStore:
    return MemoryStore(clock)


class TestMemoryStore(StoreContract):
    """It keeps every promise of the door."""


async def forget(store: MemoryStore) -> None:
    """Whatever comes next, old things go."""
    await store.expect(CallRecord("CA-another"))


async def test_only_legs_of_late_make_a_loop(store: MemoryStore, clock: Clock) -> None:
    await claimed(store, "CA1")
    await store.standing("CA1", leg_ended=True)
    clock.now = LOOP_WINDOW
    await claimed(store, "CA1")
    assert (await store.standing("CA1")).claims == 2

    clock.now = LOOP_WINDOW + 0.1
    assert (await store.standing("CA1")).claims == 1


async def test_an_end_is_remembered_for_an_hour(store: MemoryStore, clock: Clock) -> None:
    """Much longer than a carrier asks, and not for ever."""
    await store.end("CA1", leg.Hangup())
    clock.now = KEEP_ENDED
    await forget(store)
    assert (await store.standing("CA1")).state is CallState.ENDED

    clock.now = KEEP_ENDED + 1
    await forget(store)
    assert (await store.standing("CA1")).state is CallState.NEW


async def test_a_caller_who_never_came(store: MemoryStore, clock: Clock) -> None:
    """Or never came back: a few minutes are enough."""
    await store.expect(CallRecord("CA1"))
    claim = await claimed(store, "CA2")
    await store.release(claim, CallRecord("CA2"))

    clock.now = KEEP_WAITING + 1

    assert await store.calls() == []
    assert (await claimed(store, "CA1")).record is None
    assert (await claimed(store, "CA2")).record is None


async def test_a_call_that_lives_is_kept(store: MemoryStore, clock: Clock) -> None:
    """Every write counts as a sign of life; without one there is an end to it."""
    await store.expect(CallRecord("CA1"))
    claim = await claimed(store, "CA1")
    clock.now = KEEP_LIVE
    await store.save(claim, CallRecord("CA1"))
    clock.now = 2 * KEEP_LIVE
    assert len(await store.calls()) == 1

    clock.now = 2 * KEEP_LIVE + 1
    assert await store.calls() == []


async def test_a_fence_that_comes_again_opens_nothing(store: MemoryStore, clock: Clock) -> None:
    """A call was forgotten and claimed anew: its first holder is still an older one."""
    first = await claimed(store, "CA1")
    await store.release(first, CallRecord("CA1"))
    clock.now = KEEP_WAITING + 1
    await forget(store)

    second = await claimed(store, "CA1")

    assert second.fence == first.fence
    assert await store.save(first, CallRecord("CA1")) is Saved.FENCED
    assert await store.save(second, CallRecord("CA1")) is Saved.OK


async def test_a_forgotten_call_can_be_ended_by_its_last_holder(
    store: MemoryStore, clock: Clock
) -> None:
    """Nobody else has it, and the carrier must not connect it again."""
    claim = await claimed(store, "CA1")
    await store.release(claim, CallRecord("CA1"))
    clock.now = KEEP_WAITING + 1
    await forget(store)

    assert await store.end("CA1", leg.Hangup(), claim=claim) is Saved.OK
    assert (await store.standing("CA1")).state is CallState.ENDED


async def test_closing_it_is_nothing(store: MemoryStore) -> None:
    await store.close()
