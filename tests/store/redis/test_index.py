"""The list of calls is a hint, and nobody waits for it."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from bridge.errors import StoreError
from bridge.store.redis import index as index_module
from bridge.store.redis.address import Socket
from bridge.store.redis.connection import Connection
from bridge.store.redis.index import CallIndex
from bridge.store.redis.keys import SHARDS, index_key
from tests.fakes.redis_server import RedisServer
from tests.store.conftest import Clock

KEPT = 100.0  # seconds


@pytest.fixture
def clock(clock: Clock) -> Clock:
    """Unix time."""
    clock.now = 1_750_000_000.0
    return clock


@pytest.fixture
async def connection(server: RedisServer) -> AsyncIterator[Connection]:
    connection = Connection(Socket(str(server.socket)))
    yield connection
    await connection.close()


@pytest.fixture
async def index(connection: Connection, clock: Clock) -> AsyncIterator[CallIndex]:
    index = CallIndex(connection, clock, KEPT)
    yield index
    await index.close()


async def test_calls_are_listed(index: CallIndex) -> None:
    """All that were added and not removed, whatever part they are in."""
    for number in range(100):
        index.add(f"CA{number}")
    for number in range(50):
        index.remove(f"CA{number}")

    assert sorted(await index.calls()) == sorted(f"CA{number}" for number in range(50, 100))


async def test_the_latest_word_counts(index: CallIndex) -> None:
    """Nothing has been written yet, and it is revoked already."""
    index.add("CA1")
    index.remove("CA1")
    index.remove("CA2")
    index.add("CA2")

    assert await index.calls() == ["CA2"]


async def test_what_nobody_renews_is_forgotten(
    index: CallIndex, clock: Clock, server: RedisServer
) -> None:
    """First it is not shown, then it is not kept; the whole list goes at last."""
    index.add("CA1")
    assert await index.calls() == ["CA1"]
    clock.now += KEPT + 1
    assert await index.calls() == []

    for number in range(50):
        index.add(f"CA-other-{number}")
    await index.calls()

    kept = [server.raw("ZSCORE", index_key(shard), "CA1") for shard in range(SHARDS)]
    lives = [server.raw("PTTL", index_key(shard)) for shard in range(SHARDS)]
    assert kept == [None] * SHARDS
    assert all(life <= 2 * KEPT * 1000 for life in lives)
    assert max(lives) > KEPT * 1000


async def test_a_call_that_goes_on_is_renewed(index: CallIndex, clock: Clock) -> None:
    index.add("CA1")
    await index.calls()
    clock.now += KEPT - 1
    index.add("CA1")
    clock.now += KEPT - 1

    assert await index.calls() == ["CA1"]


async def test_the_list_is_bounded(index: CallIndex, server: RedisServer) -> None:
    """There is an end to what an operator can look at."""
    with server.client() as client:
        for number in range(index_module.LONGEST_SHARD + 5):
            client.zadd(index_key(0), {f"CA{number}": 4e12})

    assert len(await index.calls()) == index_module.LONGEST_SHARD


async def test_redis_is_away(connection: Connection, clock: Clock, server: RedisServer) -> None:
    """What was to be written is written with what comes next, once it is back."""
    index = CallIndex(connection, clock, KEPT)
    server.raw("CONFIG", "SET", "maxmemory", "1")
    index.add("CA1")
    index.add("CA2")
    assert await index.calls() == []
    index.remove("CA2")
    server.raw("CONFIG", "SET", "maxmemory", "0")

    index.add("CA3")

    assert sorted(await index.calls()) == ["CA1", "CA3"]
    await index.close()


async def test_the_list_cannot_be_read(clock: Clock) -> None:
    connection = Connection(Socket("/nowhere/redis.sock"))
    index = CallIndex(connection, clock, KEPT)
    index.add("CA1")

    with pytest.raises(StoreError):
        await index.calls()

    await index.close()
    await connection.close()
