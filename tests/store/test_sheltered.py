"""A store that is away loses no call of this machine's and no memory, and says nothing twice."""

from __future__ import annotations

import asyncio
import time
from collections import Counter
from collections.abc import AsyncIterator, Coroutine, Sequence
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import Any, TypeVar

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from bridge.errors import StoreError
from bridge.ports import leg
from bridge.ports.conversation import CallerSaid
from bridge.ports.leg import Verdict
from bridge.ports.store import (
    CallRecord,
    CallState,
    CallSummary,
    Claim,
    Mailbox,
    Saved,
    Standing,
    StoredJournal,
)
from bridge.store.local import LocalJournal, private_folder
from bridge.store.memory import MemoryStore
from bridge.store.redis.store import RedisStore
from bridge.store.sealing import Seal
from bridge.store.sheltered import UNHEARD, ShelteredStore
from tests.fakes.redis_server import RedisServer
from tests.store.contract import StoreContract, new_id
from tests.store.redis.conftest import KEY, PATIENT
from tests.store.redis.test_store import RedisContract

SEAL = Seal([KEY])
WORKERS = 3
DEEDS = (
    *("say", "say", "say", "cut", "again"),
    *("die", "die", "leave", "late", "move"),
    *("away", "unheard", "well", "lose all"),
)

_T = TypeVar("_T")


class RememberingStore(MemoryStore):
    """The store in memory, which is never away."""

    async def catch_up(self, claim: Claim) -> CallRecord | None:
        return None


class TestShelteredMemory(StoreContract):
    """As what it shelters."""

    @pytest.fixture
    async def store(self, tmp_path: Path) -> AsyncIterator[ShelteredStore]:
        primary = RememberingStore(asyncio.get_running_loop().time)
        store = ShelteredStore(primary, LocalJournal(private_folder(tmp_path), SEAL))
        yield store
        await store.close()


class TestShelteredRedis(RedisContract):
    """As what it shelters."""

    @pytest.fixture
    async def store(self, server: RedisServer, tmp_path: Path) -> AsyncIterator[ShelteredStore]:
        primary = RedisStore.at(server.url, SEAL, times=PATIENT)
        store = ShelteredStore(primary, LocalJournal(private_folder(tmp_path), SEAL))
        yield store
        await store.close()


class TestUnshelteredRedis(RedisContract):
    """Without a journal nothing changes."""

    @pytest.fixture
    async def store(self, server: RedisServer) -> AsyncIterator[ShelteredStore]:
        primary = RedisStore.at(server.url, SEAL, times=PATIENT)
        store = ShelteredStore(primary, LocalJournal(None, SEAL))
        yield store
        await store.close()


# A store that is away


class MoodyRedis:
    """Redis, which is `well`, `away`, or goes `unheard`: it does what it is asked in silence."""

    def __init__(self, inner: RedisStore) -> None:
        self.mood = "well"
        self._inner = inner

    @property
    def tools(self) -> StoredJournal:
        return self._inner.tools

    @property
    def mailbox(self) -> Mailbox:
        return self._inner.mailbox

    shared = True

    async def standing(self, call_id: str, *, leg_ended: bool = False) -> Standing:
        return await self._moody(self._inner.standing(call_id, leg_ended=leg_ended))

    async def expect(self, record: CallRecord) -> None:
        await self._moody(self._inner.expect(record))

    async def claim(self, call_id: str, *, fence: int, claim_id: str, worker: str) -> Claim | None:
        claim = self._inner.claim(call_id, fence=fence, claim_id=claim_id, worker=worker)
        return await self._moody(claim)

    async def catch_up(self, claim: Claim) -> CallRecord | None:
        return await self._moody(self._inner.catch_up(claim))

    async def save(self, claim: Claim, record: CallRecord) -> Saved:
        return await self._moody(self._inner.save(claim, record))

    async def release(self, claim: Claim, record: CallRecord, *, planned: bool = False) -> Saved:
        return await self._moody(self._inner.release(claim, record, planned=planned))

    async def end(self, call_id: str, verdict: Verdict, *, claim: Claim | None = None) -> Saved:
        return await self._moody(self._inner.end(call_id, verdict, claim=claim))

    async def look(self, call_id: str) -> CallRecord | None:
        return await self._moody(self._inner.look(call_id))

    async def calls(self) -> Sequence[CallSummary]:
        return await self._moody(self._inner.calls())

    async def close(self) -> None:
        await self._inner.close()

    async def _moody(self, asked: Coroutine[Any, Any, _T]) -> _T:
        if self.mood == "away":
            asked.close()
            raise StoreError("the store is away")
        answer = await asked
        if self.mood == "unheard":
            raise StoreError("the store was not heard")
        return answer


class Machine:
    """Some workers of one machine, and a call that passes through their hands."""

    def __init__(self, server: RedisServer, folder: Path | None) -> None:
        self.server = server
        self.call_id = new_id()
        self.counted: Counter[str] = Counter()
        self.redis = [
            MoodyRedis(RedisStore.at(server.url, SEAL, times=PATIENT)) for _ in range(WORKERS)
        ]
        self.now = 0.0
        self.journals = [LocalJournal(folder, SEAL, count=self._count) for _ in self.redis]
        self.workers = [
            ShelteredStore(redis, journal, clock=lambda: self.now)
            for redis, journal in zip(self.redis, self.journals, strict=True)
        ]

    async def __aenter__(self) -> Machine:
        return self

    async def __aexit__(self, *_: object) -> None:
        for worker in self.workers:
            await worker.close()

    def mood(self, mood: str) -> None:
        for redis in self.redis:
            redis.mood = mood

    async def standing(self, worker: int, *, leg_ended: bool = True) -> Standing:
        """As a worker tells the carrier."""
        try:
            return await self.workers[worker].standing(self.call_id, leg_ended=leg_ended)
        except StoreError:
            return Standing(CallState.NEW)

    async def claim(self, worker: int, fence: int, claim_id: str | None = None) -> Claim | None:
        return await self.workers[worker].claim(
            self.call_id, fence=fence, claim_id=claim_id or new_id(), worker=f"w{worker}"
        )

    async def claimed(self, worker: int) -> Claim:
        """The next leg of the call comes to this worker."""
        claim = await self.claim(worker, (await self.standing(worker)).fence)
        assert claim is not None
        return claim

    async def save(self, worker: int, claim: Claim, *turns: str) -> Saved | None:
        """None: the store was not there. Whatever is kept here is on the disk afterwards."""
        record = said(self.call_id, *turns)
        try:
            return await self.workers[worker].save(claim, record)
        except StoreError:
            return None
        finally:
            await self.journals[worker].settled()

    async def end(self, worker: int, claim: Claim | None, verdict: Verdict) -> Saved | None:
        try:
            return await self.workers[worker].end(self.call_id, verdict, claim=claim)
        except StoreError:
            return None

    def _count(self, outcome: str) -> None:
        self.counted[outcome] += 1


def said(call_id: str, *turns: str) -> CallRecord:
    return CallRecord(call_id, carrier="twilio", history=tuple(map(CallerSaid, turns)))


def heard(claim: Claim) -> list[str]:
    """What a new holder is told."""
    history = () if claim.record is None else claim.record.history
    return [item.text for item in history if isinstance(item, CallerSaid)]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return private_folder(tmp_path)


@pytest.fixture
async def machine(server: RedisServer, folder: Path) -> AsyncIterator[Machine]:
    async with Machine(server, folder) as machine:
        yield machine


async def test_a_worker_dies_with_the_store(machine: Machine) -> None:
    """Before anybody has noticed that it is away: all that was saved is there."""
    claim = await machine.claimed(0)
    assert await machine.save(0, claim, "one", "two") is Saved.OK
    machine.mood("away")
    machine.server.raw("FLUSHALL")

    standing = await machine.standing(1)
    next_one = await machine.claim(1, standing.fence)

    assert (standing.state, standing.fence, standing.claims) == (CallState.LIVE, claim.fence, 1)
    assert next_one is not None
    assert next_one.resumed
    assert heard(next_one) == ["one", "two"]
    assert next_one.fence > claim.fence
    assert machine.counted["recovered"] == 1


async def test_a_store_that_is_back_is_told_all_of_it_once(machine: Machine) -> None:
    """It comes back as it was: an older state of the same conversation, put down differently."""
    first = await machine.claimed(0)
    await machine.save(0, first, "one", "two, of which not all was heard")
    machine.mood("away")
    await machine.save(0, first, "one", "two")
    second = await machine.claimed(1)
    assert await machine.save(1, second, "one", "two", "three") is None
    machine.mood("well")

    assert await machine.save(1, second, "one", "two", "three", "four") is Saved.OK
    assert await machine.save(0, first, "one", "two, which is late") is Saved.FENCED
    third = await machine.claimed(2)
    assert heard(third) == ["one", "two", "three", "four"]
    assert third.fence > second.fence > first.fence


async def test_a_store_that_comes_back_empty_knows_less_than_the_machine(machine: Machine) -> None:
    """The worker is killed before it could tell it again."""
    claim = await machine.claimed(0)
    await machine.save(0, claim, "one", "two")
    machine.server.raw("FLUSHALL")

    standing = await machine.standing(1)
    next_one = await machine.claim(1, standing.fence)

    assert (standing.state, standing.fence) == (CallState.LIVE, claim.fence)
    assert next_one is not None
    assert heard(next_one) == ["one", "two"]
    assert await machine.save(1, next_one, "one", "two", "three") is Saved.OK
    assert heard(await machine.claimed(2)) == ["one", "two", "three"]


async def test_the_call_of_a_caller_who_came_while_the_store_was_away(machine: Machine) -> None:
    """Webhook and stream may come to two workers: what the webhook told is known to both."""
    machine.mood("away")
    with pytest.raises(StoreError):
        await machine.workers[0].expect(replace(said(machine.call_id), caller="+14155550111"))
    standing = await machine.standing(1, leg_ended=False)

    claim = await machine.claim(1, standing.fence)

    assert standing == Standing(CallState.NEW)
    assert claim is not None
    assert claim.record is not None
    assert claim.record.caller == "+14155550111"
    assert not claim.resumed
    assert claim.fence >= (time.time() - 60) * 1000
    machine.mood("well")
    assert await machine.save(1, claim, "one") is Saved.OK
    assert heard(await machine.claimed(2)) == ["one"]


async def test_a_ticket_works_once_without_the_store(machine: Machine) -> None:
    """Also of two workers at once, and the same claim twice is one."""
    machine.mood("away")
    fence = (await machine.standing(0)).fence
    claims = await asyncio.gather(
        *(machine.claim(number, fence, f"claim {number}") for number in range(WORKERS))
    )
    [(winner, claim)] = [(n, claim) for n, claim in enumerate(claims) if claim is not None]

    assert await machine.claim(winner, fence, f"claim {winner}") == claim
    assert await machine.claim((winner + 1) % WORKERS, fence, "late") is None
    newer = await machine.claim(winner, claim.fence, "newer")
    assert newer is not None
    assert await machine.claim(winner, claim.fence, "late") is None


async def test_a_holder_whose_call_was_claimed_without_the_store_is_stopped(
    machine: Machine,
) -> None:
    """It was frozen, say; it must not speak for the call any more, nor write."""
    older = await machine.claimed(0)
    await machine.save(0, older, "one")
    machine.mood("away")
    newer = await machine.claimed(1)

    assert await machine.save(0, older, "one", "late") is Saved.FENCED
    assert await machine.end(0, older, leg.Hangup()) is Saved.FENCED
    assert await machine.save(1, newer, "one", "two") is None
    assert heard(await machine.claimed(2)) == ["one", "two"]


async def test_a_call_that_ends_without_the_store_stays_over(machine: Machine) -> None:
    """The carrier asks another worker what comes next, and the store is told when it is back."""
    claim = await machine.claimed(0)
    await machine.save(0, claim, "one")
    machine.mood("away")
    assert await machine.end(0, claim, leg.Transfer("+14155550100")) is None

    over = await machine.standing(1)
    assert (over.state, over.verdict) == (CallState.ENDED, leg.Transfer("+14155550100"))
    assert await machine.claim(1, claim.fence) is None
    assert await machine.end(2, None, leg.Hangup()) is None
    assert (await machine.standing(1)).verdict == leg.Transfer("+14155550100")

    machine.mood("well")
    assert (await machine.standing(2)).state is CallState.ENDED
    other = RedisStore.at(machine.server.url, SEAL, times=PATIENT)
    assert (await other.standing(machine.call_id)).verdict == leg.Transfer("+14155550100")
    await other.close()


async def test_a_claim_of_a_call_whose_end_the_store_has_missed(machine: Machine) -> None:
    """A ticket that was given out before the end is of no use after it."""
    claim = await machine.claimed(0)
    machine.mood("away")
    await machine.end(0, claim, leg.Hangup())
    machine.mood("well")

    assert await machine.claim(1, claim.fence) is None
    assert (await machine.standing(2)).state is CallState.ENDED


async def test_files_go_with_the_call(machine: Machine, folder: Path) -> None:
    """At its end here; and where it goes on elsewhere, with the news of that."""
    claim = await machine.claimed(0)
    await machine.save(0, claim, "one")
    assert len(list(folder.iterdir())) == 1
    elsewhere = RedisStore.at(machine.server.url, SEAL, times=PATIENT)
    fence = (await elsewhere.standing(machine.call_id)).fence
    await elsewhere.claim(machine.call_id, fence=fence, claim_id="other", worker="w9")
    await elsewhere.close()

    assert await machine.save(0, claim, "one", "two") is Saved.FENCED
    await machine.journals[0].settled()
    assert list(folder.iterdir()) == []

    newer = await machine.claimed(0)
    await machine.save(0, newer, "one")
    assert await machine.end(0, newer, leg.Hangup()) is Saved.OK
    await machine.journals[0].settled()
    assert list(folder.iterdir()) == []


async def test_a_loop_is_noticed_without_the_store(machine: Machine) -> None:
    """A call that kills each worker that takes it."""
    machine.mood("away")
    counts = []
    for number in range(5):
        await machine.claimed(number % WORKERS)
        counts.append((await machine.standing(0)).claims)

    assert counts == [1, 2, 3, 4, 5]


async def test_what_is_let_go_of_on_purpose_is_none_of_a_loop(machine: Machine) -> None:
    machine.mood("away")
    claim = await machine.claimed(0)
    with pytest.raises(StoreError):
        await machine.workers[0].release(claim, said(machine.call_id, "one"), planned=True)

    standing = await machine.standing(1)

    assert (standing.state, standing.claims) == (CallState.WAITING, 0)
    assert heard(await machine.claimed(1)) == ["one"]


async def test_a_call_that_has_been_elsewhere(
    server: RedisServer, machine: Machine, tmp_path: Path
) -> None:
    """
    It goes on, on another machine, comes back while the store is away, and what was said
    there is known again as soon as the store is.
    """
    first = await machine.claimed(0)
    await machine.save(0, first, "one")
    async with Machine(server, private_folder(tmp_path / "elsewhere")) as elsewhere:
        elsewhere.call_id = machine.call_id
        second = await elsewhere.claimed(0)
        assert await elsewhere.save(0, second, "one", "two") is Saved.OK
    machine.mood("away")

    third = await machine.claimed(1)
    await machine.save(1, third, *heard(third), "three")
    machine.mood("well")
    assert await machine.save(1, third, *heard(third), "three", "four") is Saved.OK

    assert heard(third) == ["one"]
    assert heard(await machine.claimed(2)) == ["one", "two", "three", "four"]


async def test_a_machine_that_keeps_nothing(server: RedisServer) -> None:
    """The call goes on without its memory, and gets it back from the store."""
    async with Machine(server, None) as machine:
        first = await machine.claimed(0)
        await machine.save(0, first, "one")
        machine.mood("away")
        await asyncio.sleep(0.01)  # of two legs within a millisecond no clock can tell the later
        second = await machine.claimed(1)
        assert heard(second) == []
        assert await machine.save(1, second, "two") is None
        machine.mood("well")

        assert await machine.save(1, second, "two", "three") is Saved.OK
        assert heard(await machine.claimed(2)) == ["one", "two", "three"]


async def test_what_the_store_alone_can_tell_is_its_error(machine: Machine) -> None:
    machine.mood("away")

    with pytest.raises(StoreError):
        await machine.workers[0].calls()
    with pytest.raises(StoreError):
        await machine.workers[0].standing("CA-nobody-knows")
    assert machine.workers[0].shared
    assert machine.workers[0].mailbox is machine.redis[0].mailbox
    assert machine.workers[0].tools is machine.redis[0].tools


@settings(
    max_examples=40,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.differing_executors],
)
@given(st.lists(st.tuples(st.sampled_from(DEEDS), st.integers(0, WORKERS - 1)), max_size=25))
@example([("move", 0), ("well", 0), ("late", 0)])
async def test_whatever_happens_to_the_store_and_to_workers(
    server: RedisServer, folder: Path, deeds: list[tuple[str, int]]
) -> None:
    """
    It goes away, does things unheard, and forgets; workers die, come late, or let go. Whoever
    takes the call is told all that was said, once and in its order.
    """
    async with Machine(server, folder) as machine:
        story = Story(machine)
        await story.comes(0)
        for number, (deed, worker) in enumerate(deeds):
            await story.do(deed, worker, f"{number}")
        await story.comes(0)


class Story:
    """One call, and what was said in it."""

    def __init__(self, machine: Machine) -> None:
        self._machine = machine
        self._said: list[str] = []
        self._holders: list[tuple[int, Claim]] = []
        self._lost = False

    async def do(self, deed: str, worker: int, word: str) -> None:
        machine, (holder, claim) = self._machine, self._holders[-1]
        match deed:
            case "say":
                self._said.append(word)
                await self._save()
            case "cut":
                self._said[-1:] = [word] if self._said else []
                await self._save()
            case "again":
                await self._save()
            case "die":
                await self.comes(worker)
            case "move":  # the store's mood changes between the carrier's question and the leg
                await self.comes(worker, "away" if machine.redis[0].mood == "well" else "well")
            case "leave":
                with suppress(StoreError):
                    await machine.workers[holder].release(claim, said(machine.call_id, *self._said))
                await self.comes(worker)
            case "late" if len(self._holders) > 1:
                older, lost = self._holders[worker % (len(self._holders) - 1)]
                machine.now += 2 * UNHEARD
                saved = await machine.save(older, lost, "never said")
                # An empty store takes what comes first, until the holder puts it right.
                assert self._lost or saved is not Saved.OK
            case "away" | "unheard" | "well":
                machine.mood(deed)
            case "lose all":
                machine.server.raw("FLUSHALL")
                self._lost = True
            case _:
                pass

    async def comes(self, worker: int, mood: str | None = None) -> None:
        """A leg comes to this worker: the carrier asks for as long as its ticket is refused."""
        machine = self._machine
        claim = None
        for _ in range(3):
            fence = (await machine.standing(worker)).fence
            if mood is not None:
                machine.mood(mood)
            claim = await machine.claim(worker, fence)
            if claim is not None:
                break
        assert claim is not None
        assert heard(claim) == self._said
        assert all(claim.fence > older.fence for _, older in self._holders)
        self._holders.append((worker, claim))
        await self._save()

    async def _save(self) -> None:
        holder, claim = self._holders[-1]
        saved = await self._machine.save(holder, claim, *self._said)
        assert saved is not Saved.FENCED
        self._lost = self._lost and saved is None
