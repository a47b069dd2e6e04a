"""The record of a call is kept while the call lasts, and nothing waits for that."""

from __future__ import annotations

import asyncio
import itertools
from dataclasses import replace

import pytest

from bridge.errors import StoreError
from bridge.ports import leg
from bridge.ports.store import CallRecord, CallState, Claim
from bridge.store.memory import MemoryStore
from bridge.wiring.keeper import OWN_SPACING, SPACING, TICK, Keeper
from tests.wiring.parts import CALL, MoodyStore, until


class Kept:
    """A claimed call with its keeper; `record` is what is to be kept next."""

    def __init__(self) -> None:
        self.store = MoodyStore(MemoryStore(asyncio.get_running_loop().time))
        self.record = CallRecord(CALL, agent="0")
        self.fenced = 0

    async def claim(self) -> Claim:
        claim = await self.store.claim(CALL, fence=0, claim_id="c", worker="w")
        assert claim is not None
        return claim

    def keeper(self, claim: Claim, *, spacing: float = 0.01, patience: float = 5.0) -> Keeper:
        def fenced() -> None:
            self.fenced += 1

        return Keeper(
            self.store, claim, lambda: self.record, fenced, spacing=spacing, patience=patience
        )

    def now(self, agent: str) -> None:
        self.record = replace(self.record, agent=agent)

    @property
    def saved(self) -> list[str]:
        return [record.agent for record in self.store.saved]


async def test_a_turn_is_kept_at_once() -> None:
    """Though the record was written only just now."""
    kept = Kept()
    async with kept.keeper(await kept.claim(), spacing=30.0) as keeper:
        keeper.touch()
        await until(lambda: kept.saved == ["0"])
        kept.now("1")
        keeper.hurry()
        await until(lambda: kept.saved == ["0", "1"])


async def test_what_is_worth_keeping_is_kept() -> None:
    """Soon, and several touches at once are one write."""
    kept = Kept()
    async with kept.keeper(await kept.claim()) as keeper:
        for name in ("1", "2", "3"):
            kept.now(name)
            keeper.touch()
        await until(lambda: kept.saved)

    assert kept.saved == ["3"]


async def test_one_write_is_under_way_at_a_time_and_the_newest_record_wins() -> None:
    kept = Kept()
    claim = await kept.claim()
    kept.store.hangs = asyncio.Event()
    async with kept.keeper(claim) as keeper:
        keeper.touch()
        await until(lambda: kept.store.asked.count("save") == 1)
        for name in ("1", "2"):
            kept.now(name)
            keeper.touch()
        assert kept.store.asked.count("save") == 1
        kept.store.hangs.set()
        await until(lambda: len(kept.saved) == 2)

    assert kept.saved == ["0", "2"]


async def test_a_store_that_is_down_is_tried_again() -> None:
    kept = Kept()
    claim = await kept.claim()
    kept.store.down = True
    async with kept.keeper(claim) as keeper:
        keeper.touch()
        await until(lambda: kept.store.asked.count("save") > 2)
        kept.store.down = False
        await until(lambda: kept.saved)

    assert kept.saved == ["0"]


async def test_what_does_not_change_is_written_again_now_and_then() -> None:
    """The store may have lost it, and nobody is told of that."""
    kept = Kept()
    claim = await kept.claim()
    async with Keeper(
        kept.store, claim, lambda: kept.record, lambda: None, spacing=0.01, renewal=0.01
    ) as keeper:
        await asyncio.sleep(0.05)
        before = list(kept.saved)
        keeper.touch()
        await until(lambda: len(kept.saved) > 2)

    assert before == []


async def test_what_changes_nothing_is_not_written() -> None:
    """An agent that speaks is heard again and again, and has said nothing new."""
    kept = Kept()
    async with Keeper(
        kept.store, await kept.claim(), lambda: kept.record, lambda: None, spacing=0.01, renewal=600
    ) as keeper:
        keeper.touch()
        await until(lambda: kept.saved)
        for _ in range(5):
            keeper.touch()
            await asyncio.sleep(0.02)
        kept.now("1")
        keeper.touch()
        await until(lambda: len(kept.saved) > 1)

    assert kept.saved == ["0", "1"]


async def test_calls_are_written_together() -> None:
    """Those who began at odd times, too."""
    turns = itertools.count()
    now = next(turns)
    written: dict[str, list[int]] = {"one": [], "other": []}

    async def turn() -> None:
        nonlocal now
        while True:
            now = next(turns)
            await asyncio.sleep(0)

    def keeper(kept: Kept, name: str, claim: Claim) -> Keeper:
        def record() -> CallRecord:
            written[name].append(now)
            return kept.record

        return Keeper(kept.store, claim, record, lambda: None, spacing=0.2)

    turning = asyncio.create_task(turn())
    one, other = Kept(), Kept()
    clock = asyncio.get_running_loop().time
    async with (
        keeper(one, "one", await one.claim()) as first,
        keeper(other, "other", await other.claim()) as second,
    ):
        await asyncio.sleep(-clock() % TICK + 0.2 * TICK)
        first.touch()
        await asyncio.sleep(0.6 * TICK)
        second.touch()
        await until(lambda: written["one"] and written["other"])
        first.touch()
        second.touch()
        await until(lambda: min(map(len, written.values())) > 1)
    turning.cancel()

    assert abs(written["one"][1] - written["other"][1]) <= 2
    assert abs(written["one"][0] - written["other"][0]) > 2


@pytest.mark.parametrize("shared", [True, False])
async def test_a_store_that_others_read_is_written_more_often(shared: bool) -> None:
    kept = Kept()
    kept.store.shared = shared
    async with Keeper(kept.store, await kept.claim(), lambda: kept.record, lambda: None) as keeper:
        keeper.touch()
        await until(lambda: kept.saved)
        began = asyncio.get_running_loop().time()
        kept.now("1")
        keeper.touch()
        await until(lambda: len(kept.saved) > 1)

    waited = asyncio.get_running_loop().time() - began
    assert waited > (SPACING if shared else OWN_SPACING) - TICK
    assert shared or waited > SPACING + TICK


async def test_what_a_store_has_failed_to_take_is_written_though_it_is_the_same() -> None:
    kept = Kept()
    async with kept.keeper(await kept.claim()) as keeper:
        keeper.touch()
        await until(lambda: kept.saved)
        kept.store.down = True
        with pytest.raises(StoreError):
            await keeper.flush()
        kept.store.down = False
        await until(lambda: len(kept.saved) > 1)

    assert kept.saved[:2] == ["0", "0"]


async def test_whose_call_it_is_no_longer_is_told_so() -> None:
    """Once, and writes no more."""
    kept = Kept()
    claim = await kept.claim()
    await kept.store.claim(CALL, fence=1, claim_id="d", worker="another")
    async with kept.keeper(claim) as keeper:
        keeper.touch()
        await until(lambda: kept.fenced)
        keeper.touch()
        await asyncio.sleep(0.05)

    assert kept.fenced == 1
    assert kept.store.asked.count("save") == 1


@pytest.mark.parametrize("last", ["release", "end"])
async def test_nothing_is_written_behind_the_last_write(last: str) -> None:
    """Whoever comes next would be surprised."""
    kept = Kept()
    async with kept.keeper(await kept.claim()) as keeper:
        keeper.touch()
        await (keeper.release() if last == "release" else keeper.end(leg.Hangup("Goodbye.")))
        keeper.touch()
        await asyncio.sleep(0.05)

    assert kept.store.asked[-1] == last


async def test_a_release_leaves_the_call_to_whoever_comes_next() -> None:
    kept = Kept()
    async with kept.keeper(await kept.claim()) as keeper:
        kept.now("newest")
        await keeper.release()

    assert (await kept.store.standing(CALL)).state is CallState.WAITING
    assert kept.saved == ["newest"]


async def test_the_verdict_is_what_the_carrier_will_be_told() -> None:
    kept = Kept()
    async with kept.keeper(await kept.claim()) as keeper:
        await keeper.end(leg.Transfer("+14155550100"))

    assert (await kept.store.standing(CALL)).verdict == leg.Transfer("+14155550100")


async def test_who_was_superseded_does_not_end_the_call() -> None:
    """It goes on elsewhere."""
    kept = Kept()
    async with kept.keeper(await kept.claim()) as keeper:
        await kept.store.claim(CALL, fence=1, claim_id="d", worker="another")
        await keeper.end(leg.Hangup())

    assert (await kept.store.standing(CALL)).state is CallState.LIVE


async def test_the_end_of_a_call_does_not_wait_long_for_the_store() -> None:
    kept = Kept()
    claim = await kept.claim()
    kept.store.hangs = asyncio.Event()
    async with asyncio.timeout(2), kept.keeper(claim, patience=0.05) as keeper:
        await keeper.end(leg.Hangup())


async def test_a_record_that_cannot_be_made_ends_nothing_but_its_keeping() -> None:
    """That is a fault of ours, and the call has nothing to do with it."""

    def faulty() -> CallRecord:
        raise ZeroDivisionError

    kept = Kept()
    async with Keeper(kept.store, await kept.claim(), faulty, lambda: None) as keeper:
        keeper.touch()
        await asyncio.sleep(0.02)

    assert kept.saved == []


async def test_what_has_to_be_stored_at_once_is() -> None:
    """Whoever flushes waits for it, and for nothing else; one write is under way at a time."""
    kept = Kept()
    async with kept.keeper(await kept.claim()) as keeper:
        keeper.touch()
        await until(lambda: kept.saved)
        kept.now("1")
        await keeper.flush()

        assert kept.saved == ["0", "1"]


async def test_what_could_not_be_stored_at_once_is_stored_later() -> None:
    """Whoever flushes learns of it."""
    kept = Kept()
    async with kept.keeper(await kept.claim()) as keeper:
        kept.store.down = True
        with pytest.raises(StoreError):
            await keeper.flush()
        kept.store.down = False
        kept.now("1")
        await until(lambda: kept.saved[-1:] == ["1"])


async def test_a_flush_notices_that_the_call_is_held_elsewhere() -> None:
    kept = Kept()
    async with kept.keeper(await kept.claim()) as keeper:
        await kept.store.claim(CALL, fence=1, claim_id="d", worker="another")
        await keeper.flush()

    assert kept.fenced == 1


async def test_nothing_is_flushed_behind_the_last_write() -> None:
    kept = Kept()
    async with kept.keeper(await kept.claim()) as keeper:
        await keeper.release()
        await keeper.flush()

    assert kept.store.asked[-1] == "release"
