"""The fleet in Redis: the promises of the door, and what is Redis's own."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import suppress

import pytest

from bridge.errors import StoreError
from bridge.ports.fleet import Pulse
from bridge.ports.store import CallRecord
from bridge.store.fleet import KEPT, RESCUES
from bridge.store.redis.fleet import MOST_ADRIFT, RedisFleet
from bridge.store.redis.fleet_scripts import FLEET_SCRIPTS
from bridge.store.redis.keys import SHARDS, WORKERS, Keys, rescue_key
from bridge.store.redis.store import RedisStore
from bridge.store.sealing import Seal
from tests.fakes.redis_server import RedisServer
from tests.store.fleet_contract import CALL, FleetContract, PassTime, claimed
from tests.store.redis.conftest import KEY, PATIENT


@pytest.fixture
async def fleet(server: RedisServer) -> AsyncIterator[RedisFleet]:
    fleet = RedisFleet.at(server.url)
    yield fleet
    await fleet.close()


@pytest.fixture
def pass_time() -> PassTime:
    return asyncio.sleep


class TestRedisFleet(FleetContract):
    """It keeps every promise of the door."""


async def test_workers_see_each_other(server: RedisServer, fleet: RedisFleet) -> None:
    """Each on a connection of its own."""
    other = RedisFleet.at(server.url)
    await other.beat(Pulse("w2"))

    assert [member.pulse.worker for member in await fleet.members()] == ["w2"]
    assert await fleet.reserve(CALL, "a", 60.0) == 1
    assert await other.reserve(CALL, "b", 60.0) == 0
    await other.close()


async def test_nothing_stays_for_ever(server: RedisServer, fleet: RedisFleet) -> None:
    await fleet.beat(Pulse("w1"))
    await fleet.reserve(CALL, "a", 1.0)

    for key in WORKERS:
        assert 0 < server.raw("PTTL", key) <= KEPT * 1000
    assert 0 < server.raw("PTTL", rescue_key(CALL)) <= RESCUES * 1000


async def test_whoever_was_silent_for_very_long_is_forgotten(
    server: RedisServer, fleet: RedisFleet
) -> None:
    await fleet.beat(Pulse("w1"))
    server.raw("ZADD", WORKERS[0], 1, "w1")
    await fleet.beat(Pulse("w2"))

    assert [member.pulse.worker for member in await fleet.members()] == ["w2"]
    assert server.raw("HKEYS", WORKERS[1]) == [b"w2"]


@pytest.mark.parametrize("told", ['{"worker": "w1", "mood": "fine"}', '{"worker": "w1"}'])
async def test_other_versions_tell_other_things(
    server: RedisServer, fleet: RedisFleet, told: str
) -> None:
    """What is not known is passed over."""
    await fleet.beat(Pulse("w1"))
    server.raw("HSET", WORKERS[1], "w1", told)
    [member] = await fleet.members()

    assert member.pulse == Pulse("w1")


@pytest.mark.parametrize("told", ["", "{", "[]", '{"mood": "fine"}'])
async def test_what_nobody_understands_is_nobody(
    server: RedisServer, fleet: RedisFleet, told: str
) -> None:
    await fleet.beat(Pulse("w1"))
    server.raw("HSET", WORKERS[1], "w1", told)

    assert await fleet.members() == []


async def test_a_record_that_was_put_back_has_no_ticket(
    server: RedisServer, fleet: RedisFleet
) -> None:
    """After a failover a later holder has taken the place; the ticket is the older one's."""
    store = RedisStore.at(server.url, Seal([KEY]), times=PATIENT)
    await claimed(store)
    server.raw("HSET", Keys.of(CALL).call, "claim", "a later one", "fence", str(2**50))
    holding = await fleet.holding(CALL)

    assert holding is not None
    assert (holding.fence, holding.shown) == (2**50, None)
    await store.close()


async def test_a_lease_ends(server: RedisServer, store: RedisStore, fleet: RedisFleet) -> None:
    await claimed(store)
    server.raw("HSET", Keys.of(CALL).call, "lease", "1")
    holding = await fleet.holding(CALL)

    assert holding is not None
    assert not holding.leased


async def test_a_call_of_a_later_version_is_not_understood(
    server: RedisServer, store: RedisStore, fleet: RedisFleet
) -> None:
    await claimed(store)
    server.raw("HSET", Keys.of(CALL).call, "state", "dancing")

    with pytest.raises(StoreError, match="does not know"):
        await fleet.holding(CALL)


async def test_a_look_has_an_end(store: RedisStore, fleet: RedisFleet) -> None:
    """Whoever is not found this time is found the next time."""
    for number in range(MOST_ADRIFT + 5):
        claim = await claimed(store, f"CA{number}")
        await store.release(claim, CallRecord(f"CA{number}"))
    async with asyncio.timeout(5):
        while len(await fleet.adrift(())) < MOST_ADRIFT:
            await asyncio.sleep(0.01)

    assert len(await fleet.adrift(())) == MOST_ADRIFT


async def test_another_server_has_another_mark() -> None:
    """Restarted, or another one after a failover."""
    with RedisServer() as own:
        fleet = RedisFleet.at(own.url)
        before = await fleet.mark()
        own.kill()
        with pytest.raises(StoreError):
            await fleet.mark()
        own.start()

        after = ""
        async with asyncio.timeout(5):
            while not after:
                with suppress(StoreError):
                    after = await fleet.mark()
                await asyncio.sleep(0.05)
        await fleet.close()

    assert before not in {"", "None", after}


async def test_in_a_cluster_every_server_counts() -> None:
    """Calls are on all of them."""
    fleet = RedisFleet.at("redis+cluster://127.0.0.1:1")

    assert len(set(fleet.servers)) == SHARDS
    await fleet.close()


def test_scripts_are_known_by_their_digest(server: RedisServer) -> None:
    """What Redis calls a script is what we call it."""
    for script in FLEET_SCRIPTS.values():
        assert server.raw("SCRIPT", "LOAD", script.text) == script.sha.encode()


async def test_nothing_personal_is_in_a_pulse(server: RedisServer, fleet: RedisFleet) -> None:
    """Names of fields, so that a new one is thought about."""
    await fleet.beat(Pulse("w1"))
    told = server.raw("HGET", WORKERS[1], "w1").decode()

    assert sorted(part.split('"')[1] for part in told.split(", ")) == sorted(
        ["worker", "host", "pid", "build", "draining", "calls", "capacity", "watching", "path"]
    )
