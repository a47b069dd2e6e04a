"""The list of calls: a hint that is written behind everybody's back."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Iterable

import pytest

from bridge.store.redis.address import read_address
from bridge.store.redis.connection import Connection
from bridge.store.redis.index import CallIndex
from tests.fakes.redis_server import RedisServer

KEPT = 60.0


@pytest.fixture
async def connection(server: RedisServer) -> AsyncIterator[Connection]:
    connection = Connection(read_address(server.url))
    yield connection
    await connection.close()


def index_at(connection: Connection, unix: float) -> CallIndex:
    return CallIndex(connection, wall=lambda: unix, kept=KEPT)


async def listed(index: CallIndex, is_right: Callable[[set[str]], bool]) -> set[str]:
    """What is listed, once it is as it should be."""
    async with asyncio.timeout(10):
        while not is_right(found := set(await index.calls())):
            await asyncio.sleep(0.01)
    return found


async def add_all(index: CallIndex, calls: Iterable[str]) -> None:
    for call in calls:
        index.add(call)


async def test_what_one_worker_adds_another_sees(connection: Connection) -> None:
    """All parts of the list are looked at."""
    mine, theirs = index_at(connection, 1_000.0), index_at(connection, 1_000.0)
    calls = {f"CA{number}" for number in range(40)}

    await add_all(mine, calls)

    assert await listed(theirs, lambda found: len(found) == 40) == calls
    await mine.close()


async def test_a_call_that_is_over_is_taken_off(connection: Connection) -> None:
    """And the others stay."""
    index = index_at(connection, 1_000.0)
    await add_all(index, ("CA1", "CA2"))
    await listed(index, lambda found: len(found) == 2)

    index.remove("CA1")

    assert await listed(index, lambda found: len(found) == 1) == {"CA2"}
    await index.close()


async def test_a_call_of_which_nobody_speaks_falls_off(connection: Connection) -> None:
    """Its worker may have died without a word."""
    then, later = index_at(connection, 1_000.0), index_at(connection, 1_000.0 + KEPT + 1)
    then.add("CA1")
    await listed(then, lambda found: found == {"CA1"})

    assert await later.calls() == []
    await then.close()
