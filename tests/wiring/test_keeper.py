"""A call's record reaches the store without anybody waiting for it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from bridge.errors import StoreError
from bridge.ports import leg
from bridge.ports.store import CallRecord, CallState, Claim, Saved
from bridge.store.memory import MemoryStore
from bridge.wiring.keeper import Keeper


class Stage:
    """A claimed call whose record counts how often it was asked for."""

    def __init__(self, store: MemoryStore, claim: Claim) -> None:
        self.store = store
        self.asked = 0
        self.fenced = asyncio.Event()
        self.keeper = Keeper(store, claim, self.record, self.fenced.set, spacing=0.01, patience=0.2)

    def record(self) -> CallRecord:
        self.asked += 1
        return CallRecord("CA1", carrier=f"version {self.asked}")


@asynccontextmanager
async def kept(store: MemoryStore | None = None) -> AsyncIterator[Stage]:
    store = store or MemoryStore(asyncio.get_running_loop().time)
    claim = await store.claim("CA1", fence=0, claim_id="first", worker="w1")
    assert claim is not None
    stage = Stage(store, claim)
    async with stage.keeper:
        yield stage


async def stored(store: MemoryStore) -> CallRecord | None:
    """The record as another worker would find it; this claims the call."""
    fence = (await store.standing("CA1")).fence
    claim = await store.claim("CA1", fence=fence, claim_id="look", worker="w2")
    return claim.record if claim is not None else None


async def until(store: Remembering, saves: int) -> None:
    async with asyncio.timeout(5):
        while len(store.saved) < saves:
            await asyncio.sleep(0.005)


class Remembering(MemoryStore):
    """Remembers each save; fails the first few if told to."""

    def __init__(self, failures: int = 0) -> None:
        super().__init__(asyncio.get_running_loop().time)
        self.saved: list[CallRecord] = []
        self._failures = failures

    async def save(self, claim: Claim, record: CallRecord) -> Saved:
        self.saved.append(record)
        if len(self.saved) <= self._failures:
            raise StoreError("the store is away")
        return await super().save(claim, record)


async def test_many_touches_are_one_write() -> None:
    """The newest record wins; what happened in between is in it."""
    store = Remembering()
    async with kept(store) as stage:
        for _ in range(50):
            stage.keeper.touch()
        await until(store, 1)

        assert len(store.saved) == 1


async def test_a_store_that_is_away_is_asked_again() -> None:
    """The call does not notice, and the record gets there."""
    store = Remembering(failures=1)
    async with kept(store) as stage:
        stage.keeper.touch()
        await until(store, 2)

    record = await stored(store)
    assert record is not None
    assert record.carrier == "version 2"


async def test_somebody_else_holds_the_call() -> None:
    """The owner is told at once, and writes no more."""
    async with kept() as stage:
        fence = (await stage.store.standing("CA1")).fence
        await stage.store.claim("CA1", fence=fence, claim_id="other", worker="w2")

        stage.keeper.touch()

        await asyncio.wait_for(stage.fenced.wait(), 5)


async def test_a_lost_leg_leaves_its_record() -> None:
    """Whoever claims the call next goes on from there."""
    async with kept() as stage:
        await stage.keeper.release()

    assert (await stage.store.standing("CA1")).state is CallState.WAITING
    assert await stored(stage.store) is not None


async def test_an_ended_call_keeps_its_verdict() -> None:
    """The carrier asks for it a moment later."""
    async with kept() as stage:
        await stage.keeper.end(leg.Hangup("Goodbye."))

    assert (await stage.store.standing("CA1")).verdict == leg.Hangup("Goodbye.")


class Hanging(MemoryStore):
    """Never answers when a call ends."""

    async def end(self, call_id: str, verdict: leg.Verdict, *, claim: Claim | None = None) -> Saved:
        await asyncio.Event().wait()
        return Saved.OK


async def test_the_end_of_a_call_does_not_wait_for_ever() -> None:
    """A store that hangs costs a bounded moment, not the caller."""
    store = Hanging(asyncio.get_running_loop().time)
    async with kept(store) as stage, asyncio.timeout(10):
        await stage.keeper.end(leg.Hangup())
