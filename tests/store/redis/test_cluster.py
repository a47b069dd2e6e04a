"""A cluster's nodes are asked for what they keep, also while that changes."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager

import pytest
from redis.crc import key_slot
from redis.exceptions import ClusterDownError, ResponseError
from redis.exceptions import ConnectionError as LostConnection

from bridge.store.redis.address import Cluster, Host
from bridge.store.redis.clients import open_client
from bridge.store.redis.cluster import ClusterClient
from tests.fakes.programs import free_port
from tests.fakes.redis_server import RedisCluster, RedisServer


def client_of(*nodes: RedisServer) -> ClusterClient:
    client = open_client(Cluster(tuple(Host("127.0.0.1", node.port) for node in nodes)))
    assert isinstance(client, ClusterClient)
    return client


@pytest.fixture(scope="module")
def cluster() -> Iterator[RedisCluster]:
    with RedisCluster() as cluster:
        yield cluster


@pytest.fixture
async def client(cluster: RedisCluster) -> AsyncIterator[ClusterClient]:
    client = client_of(cluster.nodes[0])
    yield client
    await client.close()


@contextmanager
def given(cluster: RedisCluster, key: str) -> Iterator[tuple[RedisServer, RedisServer]]:
    """The key's slot has another keeper for a while. Its old one and its new one."""
    old, new = keepers(cluster, key)
    for node in (new, old, *cluster.nodes):
        set_slot(node, key, "NODE", node_id(new))
    yield old, new
    new.raw("FLUSHALL")
    for node in (old, new, *cluster.nodes):
        set_slot(node, key, "NODE", node_id(old))


@contextmanager
def on_its_way(cluster: RedisCluster, key: str) -> Iterator[tuple[RedisServer, RedisServer]]:
    """The key's slot is about to have another keeper. Its old one and its new one."""
    old, new = keepers(cluster, key)
    set_slot(new, key, "IMPORTING", node_id(old))
    set_slot(old, key, "MIGRATING", node_id(new))
    yield old, new
    for node in (old, new):
        node.raw("FLUSHALL")
        set_slot(node, key, "STABLE")


def keepers(cluster: RedisCluster, key: str) -> tuple[RedisServer, RedisServer]:
    old = cluster.node_of(key)
    return old, next(node for node in cluster.nodes if node is not old)


def set_slot(node: RedisServer, key: str, *what: str) -> None:
    node.raw("CLUSTER", "SETSLOT", key_slot(key.encode()), *what)


def node_id(node: RedisServer) -> str:
    found: bytes = node.raw("CLUSTER", "MYID")
    return found.decode()


async def test_every_key_is_found(cluster: RedisCluster, client: ClusterClient) -> None:
    """One at a time and all at once, each where it is kept."""
    keys = [f"key {number}" for number in range(30)]
    for key in keys:
        await client.execute(key, ("SET", key, key))

    answers = await client.execute_all([("GET", key) for key in keys])

    assert answers == [key.encode() for key in keys]
    assert {client.place(key) for key in keys} == {
        f"127.0.0.1:{node.port}" for node in cluster.nodes
    }
    assert client.place(None) not in {client.place(key) for key in keys}


async def test_a_slot_that_has_moved(cluster: RedisCluster, client: ClusterClient) -> None:
    """Its old keeper says who has it now, and that is remembered."""
    await client.find()
    with given(cluster, "moved") as (_, new):
        await client.execute("moved", ("SET", "moved", "1"))

        assert client.place("moved") == f"127.0.0.1:{new.port}"
        assert new.raw("GET", "moved") == b"1"


async def test_a_slot_that_has_moved_among_many(
    cluster: RedisCluster, client: ClusterClient
) -> None:
    await client.find()
    with given(cluster, "many"):
        answers = await client.execute_all([("SET", "many", "1"), ("GET", "many"), ("GET", "b")])

    assert answers == [True, b"1", None]


async def test_a_slot_that_is_on_its_way(cluster: RedisCluster, client: ClusterClient) -> None:
    """What is new is put to its new place, and nothing is remembered of that."""
    await client.find()
    with on_its_way(cluster, "moving") as (old, _):
        await client.execute("moving", ("SET", "moving", "1"))
        found = await client.execute("moving", ("GET", "moving"))
        together = await client.execute_all([("GET", "moving")])
        with pytest.raises(ResponseError):
            await client.execute("moving", ("HGET", "moving", "field"))

    assert found == b"1"
    assert together == [b"1"]
    assert client.place("moving") == f"127.0.0.1:{old.port}"


async def test_keys_on_both_sides_of_a_move(cluster: RedisCluster, client: ClusterClient) -> None:
    """Who needs all of them at once is refused for the moment."""
    await client.find()
    with on_its_way(cluster, "{both}") as (old, _):
        await client.execute("{both}1", ("SET", "{both}1", "1"))
        set_slot(old, "{both}", "STABLE")
        old.raw("SET", "{both}2", "2")
        set_slot(old, "{both}", "MIGRATING", node_id(keepers(cluster, "{both}")[1]))

        with pytest.raises(ClusterDownError):
            await client.execute("{both}1", ("MGET", "{both}1", "{both}2"))


async def test_one_seed_is_enough(cluster: RedisCluster) -> None:
    """Of those that we were told of, some may be gone and others frozen."""
    gone = RedisServer(port=1)
    client = client_of(gone, cluster.nodes[1])

    await client.execute("a", ("SET", "a", "1"))

    assert await client.execute("a", ("GET", "a")) == b"1"
    await client.close()
    gone.remove()


async def test_nobody_is_there() -> None:
    """Whoever waits hears of it, and whoever has left does not miss it."""
    gone = RedisServer(port=1)
    client = client_of(gone)

    with pytest.raises(LostConnection):
        await client.find()
    with pytest.raises(LostConnection):
        await client.execute_all([("GET", "a")])
    looking = asyncio.create_task(client.find())
    await asyncio.sleep(0)
    looking.cancel()
    await asyncio.wait([looking])

    assert looking.cancelled()
    assert client.place("a") == ""
    await client.close()
    gone.remove()


async def test_a_node_that_is_in_no_cluster() -> None:
    """It keeps no slot, and says so."""
    options = ("--cluster-enabled", "yes", "--cluster-port", str(free_port()))
    with RedisServer(*options, port=free_port()) as alone:
        client = client_of(alone)
        with pytest.raises(ClusterDownError):
            await client.execute("a", ("GET", "a"))
        await client.close()
