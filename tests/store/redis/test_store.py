"""The store in Redis keeps the promises of the door, and what it needs Redis for."""

from __future__ import annotations

import asyncio
import re
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from bridge.errors import StoreError
from bridge.ports import leg
from bridge.ports.conversation import AgentSaid, CallerSaid
from bridge.ports.store import CallRecord, CallState, CallStore, Claim, Cut, Saved, Standing
from bridge.store.redis.keys import Keys, alerts_key
from bridge.store.redis.store import RedisStore
from bridge.store.sealing import Seal
from tests.fakes.programs import until
from tests.fakes.redis_server import RedisCluster, RedisServer, Watch
from tests.store.contract import FULL, StoreContract, claimed, new_id, record_of
from tests.store.mail_contract import wish
from tests.store.redis.conftest import KEY, PATIENT

PAGE = Path(__file__).parents[3] / "docs" / "reference" / "redis.md"


DEEDS = ("say", "say", "cut", "leave", "keep", "lose", "lose all")


class RedisContract(StoreContract):
    """As the contract, but for what a store that can lose its memory has to do otherwise."""

    async def test_a_ticket_that_was_never_issued(self, store: CallStore) -> None:
        """
        There is none, for tickets are signed: a fence above the stored one was given out
        before Redis lost it, and the caller is there all the same.
        """
        call_id = new_id()
        fence = (await store.standing(call_id)).fence

        claim = await store.claim(call_id, fence=fence + 1, claim_id="c1", worker="w1")

        assert claim is not None
        assert claim.fence > fence + 1
        assert claim.resumed


@pytest.fixture(scope="module")
def watch() -> Iterator[Watch]:
    with Watch() as watch:
        yield watch


@pytest.fixture(scope="module")
def cluster() -> Iterator[RedisCluster]:
    with RedisCluster() as cluster:
        yield cluster


class TestRedisStore(RedisContract):
    """One server."""


class TestWatchedRedisStore(RedisContract):
    """A primary that Sentinels watch."""

    @pytest.fixture
    async def store(self, watch: Watch) -> AsyncIterator[RedisStore]:
        async with opened(watch.url) as store:
            yield store


class TestClusteredRedisStore(RedisContract):
    """Three primaries that share the calls."""

    @pytest.fixture
    async def store(self, cluster: RedisCluster) -> AsyncIterator[RedisStore]:
        async with opened(cluster.url) as store:
            yield store


# What is written, and what is not


def story(call_id: str, turns: int) -> CallRecord:
    history = tuple(CallerSaid(f"turn {number} of {call_id}") for number in range(turns))
    return replace(FULL, call_id=call_id, history=history)


async def test_only_what_has_changed_is_written(server: RedisServer, store: RedisStore) -> None:
    """A save costs what was said since the last one, not what was said in the call."""
    claim = await claimed(store, "CA1")
    record = story("CA1", 200)
    await store.save(claim, record)
    await store.calls()  # which waits until it is listed
    written = sent(server)
    await store.save(claim, record)
    nothing = sent(server) - written
    await store.save(claim, replace(record, history=(*record.history, AgentSaid("Yes."))))
    one_turn = sent(server) - written - nothing

    assert nothing < 500
    assert one_turn < 700
    assert written > 200 * 50


@given(
    st.lists(
        st.tuples(st.integers(0, 6), st.integers(0, 3), st.integers(0, 3), st.booleans()),
        max_size=8,
    )
)
@settings(
    max_examples=60,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.differing_executors],
)
async def test_however_a_conversation_changes(
    store: RedisStore, changes: list[tuple[int, int, int, bool]]
) -> None:
    """Turns are cut, added in between, and fall off the front: what is read is what was said."""
    call_id = new_id()
    claim = await claimed(store, call_id)
    record, said = record_of(call_id), 0
    for place, removed, added, lost in changes:
        turns = list(record.history)
        new = [CallerSaid(f"{said + number}") for number in range(added)]
        said += added
        turns[place : place + removed] = new
        if lost:
            turns = turns[2:]
        record = replace(record, history=tuple(turns), cut=Cut.AGENT if lost else Cut.NOBODY)
        await store.save(claim, record)

        assert await stored(store, claim) == record


async def test_a_redis_that_has_lost_everything_is_told_again(
    server: RedisServer, store: RedisStore
) -> None:
    """Whoever holds the call remembers all of it, and the next save puts it back."""
    claim = await claimed(store, "CA1")
    record = story("CA1", 5)
    await store.save(claim, record)
    server.raw("FLUSHALL")

    assert await store.save(claim, replace(record, cut=Cut.AGENT)) is Saved.OK
    assert await stored(store, claim) == replace(record, cut=Cut.AGENT)
    assert [call.call_id for call in await store.calls()] == ["CA1"]
    standing = await store.standing("CA1")
    assert (standing.state, standing.fence) == (CallState.LIVE, claim.fence)


async def test_a_redis_that_has_lost_the_latest_writes_is_told_them_again(
    server: RedisServer, store: RedisStore
) -> None:
    """Between two saves it fails over to a replica that is behind: no turn may be missing."""
    claim = await claimed(store, "CA1")
    record = story("CA1", 6)
    await store.save(claim, replace(record, history=record.history[:2]))
    behind = snapshot(server, "CA1")
    await store.save(claim, replace(record, history=record.history[:4]))
    restore(server, "CA1", behind)

    assert await store.save(claim, record) is Saved.OK
    assert await stored(store, claim) == record


@given(st.lists(st.sampled_from(DEEDS), max_size=25))
@settings(
    max_examples=60,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.differing_executors],
)
async def test_whatever_redis_forgets(
    server: RedisServer, store: RedisStore, deeds: list[str]
) -> None:
    """
    Saves that nobody waits for, a replica that is behind, a restart without a memory: after
    the next save that is answered, all of the record is there.
    """
    call_id = new_id()
    claim = await claimed(store, call_id)
    record, behind = record_of(call_id), snapshot(server, call_id)
    for number, deed in enumerate(deeds):
        match deed:
            case "say":
                record = replace(record, history=(*record.history, CallerSaid(f"{number}")))
                await store.save(claim, record)
            case "cut":
                record = replace(record, history=record.history[:-1], cut=Cut.CALLER)
                await store.save(claim, record)
            case "leave":
                record = replace(record, history=(*record.history, AgentSaid(f"{number}")))
                saving = asyncio.create_task(store.save(claim, record))
                await asyncio.sleep(0.000_2 * (number % 3))
                saving.cancel()
                await asyncio.wait([saving])
            case "keep":
                behind = snapshot(server, call_id)
            case "lose":
                restore(server, call_id, behind)
            case _:
                restore(server, call_id, [])

    assert await store.save(claim, record) is Saved.OK
    assert await stored(store, claim) == record


async def test_a_redis_that_has_lost_the_latest_claim(
    server: RedisServer, store: RedisStore
) -> None:
    """An older holder is back by mistake; the later one's next save says who came later."""
    older = await claimed(store, "CA1", "w1")
    await store.save(older, record_of("CA1", 1))
    behind = snapshot(server, "CA1")
    newer = await claimed(store, "CA1", "w2")
    await store.save(newer, record_of("CA1", 2))
    restore(server, "CA1", behind)
    assert await store.save(older, record_of("CA1", 3)) is Saved.OK

    assert await store.save(newer, record_of("CA1", 4)) is Saved.OK
    assert await store.save(older, record_of("CA1", 5)) is Saved.FENCED
    assert (await store.standing("CA1")).fence == newer.fence
    assert [call.worker for call in await store.calls()] == ["w2"]


async def test_a_fence_is_never_given_twice(server: RedisServer, store: RedisStore) -> None:
    """Not even when Redis forgets that it was given out."""
    fences = []
    for _ in range(5):
        fences.append((await claimed(store, "CA1")).fence)
        server.raw("FLUSHALL")

    assert len(set(fences)) == 5
    assert fences == sorted(fences)


async def test_a_clock_that_runs_behind(server: RedisServer) -> None:
    """Fences rise whatever the clocks of workers say; Redis's own is a floor, too."""
    ahead, behind = 2e9 + 300, 0.0
    async with opened(server.url, wall=lambda: ahead) as first:
        one = await claimed(first, "CA1")
    async with opened(server.url, wall=lambda: behind) as second:
        two = await claimed(second, "CA1")
        other = await claimed(second, "CA2")

    assert one.fence == ahead * 1000
    assert two.fence == one.fence + 1
    assert other.fence > 1.7e12


# A call that was taken while Redis did not answer


def taken(call_id: str, fence: int, now: float) -> Claim:
    """A claim as a worker makes it without the store."""
    return Claim(call_id, max(fence + 1, round(now * 1000)), "local", None, resumed=True)


async def test_what_redis_knew_is_not_overwritten(store: RedisStore) -> None:
    """Who took the call without the store did not know its past; both belong together."""
    before = await claimed(store, "CA1")
    past = replace(FULL, call_id="CA1")
    await store.release(before, past)
    claim = taken("CA1", before.fence, time.time())
    present = replace(record_of("CA1", 9), carrier="twilio", history=(CallerSaid("Hello?"),))

    assert await store.save(claim, present) is Saved.OK
    whole = await stored(store, claim)
    assert whole is not None
    assert whole.history == (*past.history, CallerSaid("Hello?"))
    assert (whole.caller, whole.started_at) == (past.caller, past.started_at)

    assert await store.save(claim, replace(present, cut=Cut.CALLER)) is Saved.OK
    later = await claimed(store, "CA1")
    assert later.record == replace(whole, cut=Cut.CALLER)
    assert await store.save(before, past) is Saved.FENCED


async def test_a_claim_whose_answer_was_lost(server: RedisServer, store: RedisStore) -> None:
    """Redis has it with a fence of its own; it is the same claim all the same."""
    async with opened(server.url) as lost:
        there = await lost.claim("CA1", fence=0, claim_id="local", worker="w1")
    assert there is not None
    here = taken("CA1", 0, time.time() - 60)
    assert here.fence < there.fence

    assert await store.save(here, record_of("CA1", 1)) is Saved.OK
    assert (await store.standing("CA1")).fence == there.fence
    assert (await claimed(store, "CA1")).record == record_of("CA1", 1)


async def test_a_leg_of_a_call_that_was_lost(store: RedisStore) -> None:
    """The caller has been talking to somebody: it is no new call, and it is not greeted."""
    await store.standing("CA1", leg_ended=True)

    assert (await claimed(store, "CA1")).resumed


# Times


async def test_nothing_stays_for_ever(server: RedisServer, store: RedisStore) -> None:
    """Whatever was stored goes by itself, an hour after the last write."""
    claim = await claimed(store, "CA1")
    await store.save(claim, story("CA1", 3))
    await store.mailbox.post("CA1", "m1", wish("text"))
    await store.tools.begin(claim, "t1")
    await store.expect(record_of("CA2"))
    await store.standing("CA3", leg_ended=True)
    await store.end("CA4", leg.Hangup())
    await store.calls()

    with server.client() as client:
        lives = {key: client.pttl(key) for key in client.scan_iter()}

    assert len(lives) >= 9
    assert all(0 < life <= 2 * 3_600_000 for life in lives.values()), lives
    assert all(life <= 3_600_000 for key, life in lives.items() if b":calls:" not in key)


async def test_an_end_leaves_nothing_but_itself(server: RedisServer, store: RedisStore) -> None:
    """What was said is nobody's business once the call is over."""
    claim = await claimed(store, "CA1")
    await store.save(claim, story("CA1", 3))
    await store.mailbox.post("CA1", "m1", wish("text"))
    await store.tools.begin(claim, "t1")

    await store.end("CA1", leg.Hangup(), claim=claim)

    keys = Keys.of("CA1")
    assert await store.calls() == []
    with server.client() as client:
        assert set(client.keys()) == {keys.call.encode(), alerts_key("w1").encode()}
        assert [name for name in client.hkeys(keys.call) if name.startswith(b"r:")] == []


async def test_a_call_expires(server: RedisServer) -> None:
    """Nobody wrote, and nobody came: it is as if it had never been."""
    async with opened(server.url, times=replace(PATIENT, kept=0.05)) as store:
        claim = await claimed(store, "CA1")
        await store.save(claim, record_of("CA1"))
        await asyncio.to_thread(until, lambda: gone(server, "CA1"), 5)

        assert (await store.standing("CA1")).state is CallState.NEW
        assert await store.calls() == []


async def test_only_legs_of_late_make_a_loop(server: RedisServer) -> None:
    async with opened(server.url, times=replace(PATIENT, window=0.2)) as store:
        await claimed(store, "CA1")
        assert (await store.standing("CA1", leg_ended=True)).claims == 1
        await asyncio.sleep(0.25)

        assert (await store.standing("CA1")).claims == 0
        await claimed(store, "CA1")
        assert (await store.standing("CA1")).claims == 1


# Mail


async def test_a_save_tells_of_mail(store: RedisStore) -> None:
    """So whoever holds the call hears of it even without an alert."""
    claim = await claimed(store, "CA1")
    saved = [await store.save(claim, record_of("CA1"))]
    await store.mailbox.post("CA1", "m1", wish("a"))

    saved.append(await store.save(claim, record_of("CA1")))
    letters = await store.mailbox.read(claim)
    assert letters is not None
    await store.mailbox.acknowledge(claim, letters[0].place)
    saved.append(await store.save(claim, record_of("CA1")))

    assert saved == [Saved.OK, Saved.MAIL, Saved.OK]


# What lies there


async def test_nothing_personal_can_be_read(server: RedisServer, store: RedisStore) -> None:
    """Whoever can look into Redis sees that there are calls, and nothing of what is said."""
    claim = await claimed(store, "CA1")
    await store.expect(replace(FULL, call_id="CA2"))
    await store.save(claim, replace(FULL, call_id="CA1"))
    await store.mailbox.post("CA1", "m1", wish("a bridge message"))
    await store.tools.done(claim, "t1", b"a tool's result")
    await store.end("CA3", leg.Transfer("+14155550199", "One moment please."))
    await store.calls()

    dump = server.dump()

    words = [
        *("baker", "4155550111", "sip:bakery", "You answer", "hours", "speed", "marin"),
        *("a token", "Grüezi", "offen", "seven", "the prices", "new voice", "today"),
        *("bridge message", "tool's result", "4155550199", "moment"),
    ]
    assert [word for word in words if word.encode() in dump] == []
    assert b"CA1" in dump
    assert b"twilio" in dump


async def test_a_copy_of_another_call_does_not_open(server: RedisServer, store: RedisStore) -> None:
    """Whoever can write to Redis cannot give one caller another one's conversation."""
    for call_id in ("CA1", "CA2"):
        await store.release(await claimed(store, call_id), story(call_id, 2))
    restore(server, "CA2", snapshot(server, "CA1"))

    with pytest.raises(StoreError, match="does not open"):
        await claimed(store, "CA2")


async def test_keys_rotate(server: RedisServer) -> None:
    """What the old key sealed is read, and the next holder's first save seals it anew."""
    old, new = b"the old key of theirs", b"the new key of theirs"
    record = story("CA1", 5)
    async with opened(server.url, old) as before:
        await before.release(await claimed(before, "CA1"), record)
    async with opened(server.url, new, old) as during:
        claim = await claimed(during, "CA1")
        assert claim.record == record
        await during.save(claim, record)
    async with opened(server.url, new) as after:
        assert (await claimed(after, "CA1")).record == record


async def test_a_key_that_was_taken_away_too_early(server: RedisServer) -> None:
    """The claim stands, so the caller goes on, and from then on the call is stored again."""
    async with opened(server.url, b"the old key of theirs") as before:
        await before.release(await claimed(before, "CA1"), story("CA1", 5))
        await before.end("CA2", leg.Transfer("+14155550199"))
    async with opened(server.url, b"the new key of theirs") as after:
        fence = (await after.standing("CA1")).fence
        with pytest.raises(StoreError):
            await after.claim("CA1", fence=fence, claim_id="local", worker="w1")
        ended = await after.standing("CA2")
        claim = taken("CA1", fence, time.time())

        assert await after.save(claim, record_of("CA1")) is Saved.OK
        assert (await claimed(after, "CA1")).record == record_of("CA1")
        assert ended == Standing(CallState.ENDED, verdict=None)


async def test_what_another_version_wrote(server: RedisServer, store: RedisStore) -> None:
    """Fields that are not known are passed over, those that are missing have their default."""
    await store.release(await claimed(store, "CA1"), story("CA1", 1))
    key = Keys.of("CA1").call
    server.raw("HSET", key, "r:mood", "sealed by a version to come")
    server.raw("HDEL", key, "r:parameters")

    claim = await claimed(store, "CA1")

    assert claim.record == replace(story("CA1", 1), parameters={})
    await store.save(claim, record_of("CA1"))
    assert server.raw("HEXISTS", key, "r:mood") == 0


async def test_a_state_that_is_not_known(server: RedisServer, store: RedisStore) -> None:
    """It is no reason to guess."""
    server.raw("HSET", Keys.of("CA1").call, "state", "dreaming")

    with pytest.raises(StoreError, match="does not know"):
        await store.standing("CA1")


async def test_a_conversation_with_a_hole(server: RedisServer, store: RedisStore) -> None:
    """A wrong record is worse than none."""
    await store.release(await claimed(store, "CA1"), story("CA1", 3))
    server.raw("HDEL", Keys.of("CA1").log, "1")

    with pytest.raises(StoreError, match="missing"):
        await claimed(store, "CA1")


async def test_what_the_page_allows_is_enough(server: RedisServer) -> None:
    """A user of Redis's with the rights of the reference, and nothing else."""
    [rights] = re.findall(r"^user bridge on (.+)$", PAGE.read_text(), re.MULTILINE)
    server.raw("ACL", "SETUSER", "bridge", "reset", "on", ">secret", *rights.split()[1:])
    try:
        async with opened(server.url.replace("unix://", "unix://bridge:secret@")) as store:
            claim = await claimed(store, "CA1")
            await store.expect(record_of("CA2"))
            await store.save(claim, story("CA1", 3))
            await store.save(claim, story("CA1", 2))
            await store.mailbox.post("CA1", "m1", wish("text"))
            letters = await store.mailbox.read(claim)
            assert letters is not None
            await store.mailbox.acknowledge(claim, letters[0].place)
            assert await store.mailbox.alerts("w1") == ("CA1",)
            await store.tools.begin(claim, "t1")
            await store.tools.done(claim, "t1", b"result")
            assert [call.call_id for call in await store.calls()] == ["CA1"]
            assert (await store.condition()).role == "master"
            assert b"user=bridge" in server.raw("CLIENT", "LIST")
            await store.release(claim, story("CA1", 2))
            await store.standing("CA1", leg_ended=True)
            await store.end("CA1", leg.Hangup())
            assert await store.calls() == []
    finally:
        server.raw("ACL", "DELUSER", "bridge")


# Helpers


@asynccontextmanager
async def opened(url: str, *keys: bytes, **options: Any) -> AsyncIterator[RedisStore]:
    store = RedisStore.at(url, Seal(keys or [KEY]), **{"times": PATIENT, **options})
    try:
        yield store
    finally:
        await store.close()


async def stored(store: RedisStore, claim: Claim) -> CallRecord | None:
    """What the next holder would read: an outsider's claim that is taken back."""
    again = await store.claim(
        claim.call_id, fence=claim.fence, claim_id=claim.claim_id, worker="w1"
    )
    assert again is not None
    return again.record


def sent(server: RedisServer) -> int:
    """Bytes that Redis has been sent so far."""
    with server.client() as client:
        received: int = client.info("stats")["total_net_input_bytes"]
    return received


def snapshot(server: RedisServer, call_id: str) -> list[tuple[str, bytes]]:
    """What a replica has that is about to fall behind."""
    keys = Keys.of(call_id)
    return [
        (key.removeprefix(f"tb:{{{call_id}}}:"), dump)
        for key in keys.claimed
        if (dump := server.raw("DUMP", key)) is not None
    ]


def restore(server: RedisServer, call_id: str, behind: list[tuple[str, bytes]]) -> None:
    server.raw("DEL", *Keys.of(call_id).claimed)
    for name, dump in behind:
        server.raw("RESTORE", f"tb:{{{call_id}}}:{name}", 60_000, dump)


def gone(server: RedisServer, call_id: str) -> bool:
    return bool(server.raw("EXISTS", *Keys.of(call_id).claimed) == 0)
