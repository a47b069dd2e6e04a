"""Whatever becomes of Redis: nothing waits for it long, and afterwards it is used again."""

from __future__ import annotations

import asyncio
import logging
import time
import traceback
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager
from functools import partial
from typing import Any

import pytest

from bridge.errors import StoreError
from bridge.ports import leg
from bridge.ports.conversation import CallerSaid
from bridge.ports.store import CallRecord, CallState, Claim, Saved
from bridge.store.redis.keys import Keys, Times
from bridge.store.redis.store import RedisStore
from bridge.store.sealing import Seal
from tests.fakes.redis_server import RedisCluster, RedisServer, Watch
from tests.store.contract import claimed, record_of
from tests.store.mail_contract import wish
from tests.store.redis.conftest import PATIENT

TIMES = Times(answer=0.8, claim=0.9, claim_again=1.6)
"""Longer than a server of the bridge's would wait, for tests run on busy machines."""
SLACK = 1.0  # seconds that a busy machine may take on top
BACK = 10.0  # seconds in which everything has to work again, elections included


@pytest.fixture
def own() -> Iterator[RedisServer]:
    """A server that the test may break."""
    with RedisServer() as server:
        yield server


@asynccontextmanager
async def opened(url: str, times: Times = TIMES) -> AsyncIterator[RedisStore]:
    store = RedisStore.at(url, Seal([b"a key of the operator's"]), times=times)
    try:
        yield store
    finally:
        await store.close()


def said(call_id: str, *turns: str) -> CallRecord:
    return CallRecord(call_id, carrier="twilio", history=tuple(map(CallerSaid, turns)))


async def refused(operation: Awaitable[object], within: float = TIMES.answer) -> float:
    """It fails, and not late. The seconds that it took."""
    began = time.monotonic()
    with pytest.raises(StoreError) as refusal:
        await operation
    took = time.monotonic() - began
    assert took < within + SLACK
    assert "\n" not in str(refusal.value)
    return took


async def again(operation: Callable[[], Awaitable[Any]]) -> Any:
    """What it answers as soon as it answers."""
    async with asyncio.timeout(BACK):
        while True:
            try:
                return await operation()
            except StoreError:
                await asyncio.sleep(0.02)


async def everything_fails(store: RedisStore, claim: Claim) -> None:
    """Each operation in its own time."""
    call_id = claim.call_id
    await refused(store.save(claim, record_of(call_id)))
    await refused(store.standing(call_id))
    await refused(store.release(claim, record_of(call_id)))
    await refused(store.expect(record_of("CA-other")))
    await refused(store.calls())
    await refused(store.mailbox.post(call_id, "m1", wish("text")))
    await refused(store.mailbox.read(claim))
    await refused(store.tools.begin(claim, "t1"))
    await refused(store.end("CA-third", leg.Hangup()))
    await refused(
        store.claim(call_id, fence=claim.fence, claim_id="c9", worker="w9"),
        TIMES.claim + TIMES.claim_again,
    )


async def everything_works(store: RedisStore, claim: Claim) -> None:
    """And whoever held the call has lost none of it."""
    call_id = claim.call_id
    record = said(call_id, "one", "two", "three")
    assert await again(lambda: store.save(claim, record)) is Saved.OK
    assert (await store.standing(call_id)).fence == claim.fence
    newer = await claimed(store, call_id, "w2")
    assert newer.record == record
    assert newer.resumed


async def test_redis_is_not_there_when_we_start(own: RedisServer) -> None:
    """Then there are calls without it, and when it comes they are stored."""
    own.kill()
    async with opened(own.url) as store:
        claim = Claim("CA1", round(time.time() * 1000), "local", None)
        await everything_fails(store, claim)

        own.start()

        await everything_works(store, claim)


async def test_redis_is_frozen(own: RedisServer) -> None:
    """It keeps the connections and says nothing: the worst that it can do."""
    async with opened(own.url) as store:
        claim = await claimed(store, "CA1")
        await store.save(claim, said("CA1", "one"))
        own.freeze()
        await everything_fails(store, claim)

        own.thaw()

        await everything_works(store, claim)


async def test_a_dead_redis_costs_next_to_nothing(own: RedisServer) -> None:
    """After a few failures it is left alone, but for one try a second."""
    async with opened(own.url) as store:
        await store.standing("CA1")
        own.freeze()
        began = time.monotonic()
        for _ in range(200):
            await refused(store.standing("CA1"))

        # Three find out, and of the others one in each second.
        assert time.monotonic() - began < 4 * TIMES.answer + SLACK
        own.thaw()


async def test_a_claim_waits_longer_than_the_others(own: RedisServer) -> None:
    """A caller's memory is worth a second attempt."""
    async with opened(own.url) as store:
        await store.expect(said("CA1", "one"))
        own.raw("CLIENT", "PAUSE", 1_200)

        claim = await store.claim("CA1", fence=0, claim_id="c1", worker="w1")

        assert claim is not None
        assert claim.record == said("CA1", "one")
        assert (await store.standing("CA1")).fence == claim.fence


async def test_redis_is_slow(own: RedisServer) -> None:
    """A little is borne; more is the same as no answer."""
    async with opened(own.url) as store:
        await store.standing("CA1")
        own.raw("CLIENT", "PAUSE", 100)
        assert (await store.standing("CA1")).state is CallState.NEW

        own.raw("CLIENT", "PAUSE", 1_500)
        await refused(store.standing("CA1"))
        assert (await again(lambda: store.standing("CA1"))).state is CallState.NEW


async def test_redis_is_killed_and_comes_back_empty(own: RedisServer) -> None:
    """Whoever holds a call puts it back with the next save; scripts are sent anew, too."""
    async with opened(own.url) as store:
        claim = await claimed(store, "CA1")
        await store.save(claim, said("CA1", "one", "two"))
        own.kill()
        await refused(store.save(claim, said("CA1", "one", "two")))

        own.start()

        await everything_works(store, claim)


async def test_redis_forgets_the_scripts(own: RedisServer) -> None:
    async with opened(own.url) as store:
        claim = await claimed(store, "CA1")
        own.raw("SCRIPT", "FLUSH")

        await everything_works(store, claim)


async def read_but_not_written(store: RedisStore, older: Claim) -> Claim:
    """What a Redis that takes nothing in is still good for. The claim that was made."""
    call_id = older.call_id
    await refused(store.save(older, said(call_id, "lost")))
    await refused(store.expect(record_of("CA-other")))
    standing = await store.standing(call_id, leg_ended=True)
    assert (standing.state, standing.fence) == (CallState.LIVE, older.fence)
    claim = await store.claim(call_id, fence=standing.fence, claim_id="c2", worker="w2")
    assert claim is not None
    assert claim.record == said(call_id, "one")
    assert claim.fence > older.fence
    used = await store.claim(call_id, fence=older.fence - 1, claim_id="c3", worker="w3")
    assert used is None
    return claim


@pytest.mark.parametrize(
    ("breaks", "mends"),
    [
        (("REPLICAOF", "127.0.0.1", "1"), ("REPLICAOF", "NO", "ONE")),
        (
            ("CONFIG", "SET", "min-replicas-to-write", "1"),
            ("CONFIG", "SET", "min-replicas-to-write", "0"),
        ),
        (("CONFIG", "SET", "maxmemory", "1"), ("CONFIG", "SET", "maxmemory", "0")),
    ],
    ids=["a replica", "without its replicas", "out of memory"],
)
async def test_redis_only_reads(
    own: RedisServer, breaks: tuple[str, ...], mends: tuple[str, ...]
) -> None:
    """Calls are resumed with their memory all the same, and stored when it writes again."""
    async with opened(own.url) as store:
        older = await claimed(store, "CA1")
        await store.save(older, said("CA1", "one"))
        own.raw(*breaks)
        claim = await read_but_not_written(store, older)

        own.raw(*mends)

        await everything_works(store, claim)
        assert await store.save(older, said("CA1", "late")) is Saved.FENCED


async def test_a_replica_that_has_lost_its_primary(own: RedisServer) -> None:
    """It may be told not to answer at all."""
    async with opened(own.url) as store:
        claim = await claimed(store, "CA1")
        own.raw("CONFIG", "SET", "replica-serve-stale-data", "no")
        own.raw("REPLICAOF", "127.0.0.1", "1")
        await everything_fails(store, claim)

        own.raw("REPLICAOF", "NO", "ONE")

        await everything_works(store, claim)


async def test_an_end_that_cannot_be_stored(own: RedisServer) -> None:
    """The carrier asks what comes next a moment later: the call is over all the same."""
    transfer = leg.Transfer("+14155550100")
    async with opened(own.url) as store:
        claim = await claimed(store, "CA1")
        own.kill()
        await refused(store.end("CA1", transfer, claim=claim))

        asked = await store.standing("CA1", leg_ended=True)
        assert (asked.state, asked.verdict) == (CallState.ENDED, transfer)
        assert await store.claim("CA1", fence=0, claim_id="c2", worker="w2") is None

        own.start()
        await again(lambda: store.standing("CA2"))
        await store.standing("CA1")
        async with opened(own.url) as other:
            told = await other.standing("CA1")
        assert (told.state, told.verdict) == (CallState.ENDED, transfer)


async def test_an_end_that_comes_too_late(own: RedisServer) -> None:
    """Another worker has claimed the call since: it goes on."""
    async with opened(own.url) as store, opened(own.url) as other:
        claim = await claimed(store, "CA1")
        await store.save(claim, record_of("CA1"))
        own.freeze()
        await refused(store.end("CA1", leg.Hangup(), claim=claim))
        own.thaw()
        # Nothing may be left of what was sent before, or it would be no longer too late.
        await again(lambda: other.standing("CA2"))
        if (await other.standing("CA1")).state is CallState.ENDED:
            return
        newer = await claimed(other, "CA1")

        assert (await again(lambda: store.standing("CA1"))).state is CallState.LIVE
        assert await other.save(newer, record_of("CA1")) is Saved.OK


async def test_an_operation_is_cancelled(own: RedisServer) -> None:
    """Whoever waited has gone; the connection is good for the next one."""
    async with opened(own.url) as store:
        claim = await claimed(store, "CA1")
        await store.save(claim, record_of("CA1"))
        own.freeze()
        tasks = [asyncio.create_task(store.standing("CA1")) for _ in range(5)]
        await asyncio.sleep(0.05)
        for task in tasks:
            task.cancel()
        results = await asyncio.gather(*tasks, return_exceptions=True)
        own.thaw()

        assert all(isinstance(result, asyncio.CancelledError) for result in results)
        await everything_works(store, claim)


async def test_many_at_once(own: RedisServer) -> None:
    """More than there are connections: they take turns, and nobody is refused."""
    async with opened(own.url, PATIENT) as store:
        claims = [await claimed(store, f"CA{number}") for number in range(150)]
        for _ in range(2):
            saved = await asyncio.gather(
                *(store.save(claim, record_of(claim.call_id)) for claim in claims)
            )
            assert set(saved) == {Saved.OK}

        clients = len(own.raw("CLIENT", "LIST").splitlines())
        assert clients <= 64 + 2


async def test_closing_does_not_wait_for_redis(own: RedisServer) -> None:
    """Afterwards everything is refused, and nothing is opened again."""
    async with opened(own.url) as store:
        claim = await claimed(store, "CA1")
        own.freeze()
        await refused(store.save(claim, record_of("CA1")))
        began = time.monotonic()

        await store.close()

        assert time.monotonic() - began < 1 + SLACK
        await refused(store.standing("CA1"), 0)
        own.thaw()


async def test_the_operator_is_told_once(
    own: RedisServer, caplog: pytest.LogCaptureFixture
) -> None:
    """Not with every save of every call."""
    caplog.set_level(logging.WARNING, "bridge.store.redis")
    own.kill()
    async with opened(own.url) as store:
        for _ in range(50):
            await refused(store.standing("CA1"))

        [line] = caplog.messages
        assert "Calls go on without it" in line


# Who Redis is


async def test_a_wrong_password(caplog: pytest.LogCaptureFixture) -> None:
    """It is said that it is wrong, and nowhere what it is."""
    with RedisServer("--requirepass", "the right one") as server:
        url = f"unix://:hunter2@{server.socket}"
        async with opened(url) as store:
            with pytest.raises(StoreError) as refusal:
                await store.standing("CA1")
            for _ in range(3):
                await refused(store.standing("CA1"))

    assert "user or password of REDIS_URL" in str(refusal.value)
    assert "hunter2" not in f"{traceback.format_exception(refusal.value)} {caplog.text}"


async def test_the_right_password() -> None:
    with RedisServer("--requirepass", "right") as server:
        async with opened(f"unix://:right@{server.socket}?db=3") as store:
            await everything_works(store, await claimed(store, "CA1"))


# Several servers


async def test_the_primary_dies() -> None:
    """
    The Sentinels name another one, and whoever holds a call tells it what it missed. That
    one of the Sentinels does not answer makes no difference.
    """
    with Watch() as watch:
        async with opened(watch.url) as store:
            claim = await claimed(store, "CA1")
            await store.save(claim, said("CA1", "one"))
            watch.sentinels[0].freeze()
            watch.primary.kill()
            await refused(store.save(claim, said("CA1", "one", "two")))

            # A Sentinel may tell the new primary more than once to close its connections.
            await again(lambda: everything_works(store, claim))
            assert watch.replica.raw("EXISTS", Keys.of("CA1").call) == 1


async def test_a_node_of_a_cluster_freezes_and_dies() -> None:
    """Calls of the other nodes do not notice; its own are stored again when it is back."""
    with RedisCluster() as cluster:
        async with opened(cluster.url) as store:
            claims = [await claimed(store, f"CA{number}") for number in range(12)]
            broken = cluster.node_of(Keys.of("CA0").call)
            others = [
                claim for claim in claims if cluster.node_of(Keys.of(claim.call_id).call) != broken
            ]
            broken.freeze()
            for _ in range(5):
                await refused(store.save(claims[0], record_of("CA0")))
            broken.kill()
            await refused(store.save(claims[0], record_of("CA0")))
            for claim in others:
                assert await again(partial(store.save, claim, record_of(claim.call_id)))

            broken.start()

            await everything_works(store, claims[0])
            assert len(others) > 1
