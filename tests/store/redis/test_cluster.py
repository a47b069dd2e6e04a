"""A cluster's nodes are asked for what they keep, also while that changes."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator

import pytest
from redis.asyncio import Redis
from redis.crc import key_slot
from redis.exceptions import ClusterDownError, ResponseError
from redis.exceptions import ConnectionError as LostConnection

from bridge.store.redis.address import Cluster, Host
from bridge.store.redis.cluster import ClusterClient
from tests.fakes.redis_server import RedisCluster, RedisServer, until


def open_node(host: Host) -> Redis:
    return Redis(host=host.name, port=host.port, protocol=2, socket_timeout=2)


def client_of(*nodes: RedisServer) -> ClusterClient:
    hosts = tuple(Host("127.0.0.1", node.port) for node in nodes)
    return ClusterClient(Cluster(hosts), open_node)


@pytest.fixture(scope="module")
def cluster() -> Iterator[RedisCluster]:
    with RedisCluster() as cluster:
        yield cluster


@pytest.fixture
async def client(cluster: RedisCluster) -> AsyncIterator[ClusterClient]:
    client = client_of(cluster.nodes[0])
    yield client
    await client.close()


def node_id(node: RedisServer) -> str:
    found: bytes = node.raw("CLUSTER", "MYID")
    return found.decode()


def give(cluster: RedisCluster, key: str) -> tuple[RedisServer, RedisServer]:
    """Move the key's slot, which is empty, to another node. Its old and its new keeper."""
    slot, old = key_slot(key.encode()), cluster.node_of(key)
    new = next(node for node in cluster.nodes if node is not old)
    for node in (new, old, *cluster.nodes):
        node.raw("CLUSTER", "SETSLOT", slot, "NODE", node_id(new))
    return old, new


def give_back(cluster: RedisCluster, key: str) -> None:
    slot, old = key_slot(key.encode()), cluster.node_of(key)
    for node in cluster.nodes:
        with node.client() as client:
            client.delete(key) if node.raw("CLUSTER", "COUNTKEYSINSLOT", slot) else None
    for node in cluster.nodes:
        node.raw("CLUSTER", "SETSLOT", slot, "NODE", node_id(old))


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
    old, new = give(cluster, "moved")
    try:
        await client.execute("moved", ("SET", "moved", "1"))

        assert client.place("moved") == f"127.0.0.1:{new.port}"
        assert new.raw("GET", "moved") == b"1"
        new.raw("DEL", "moved")
    finally:
        slot = key_slot(b"moved")
        for node in (old, new, *cluster.nodes):
            node.raw("CLUSTER", "SETSLOT", slot, "NODE", node_id(old))


async def test_a_slot_that_has_moved_among_many(
    cluster: RedisCluster, client: ClusterClient
) -> None:
    await client.find()
    old, new = give(cluster, "many")
    try:
        answers = await client.execute_all([("SET", "many", "1"), ("GET", "many"), ("GET", "b")])

        assert answers == [True, b"1", None]
        new.raw("DEL", "many")
    finally:
        slot = key_slot(b"many")
        for node in (old, new, *cluster.nodes):
            node.raw("CLUSTER", "SETSLOT", slot, "NODE", node_id(old))


async def test_a_slot_that_is_moving(cluster: RedisCluster, client: ClusterClient) -> None:
    """What has moved already is asked for at its new place, and nothing is remembered."""
    await client.find()
    slot, old = key_slot(b"moving"), cluster.node_of("moving")
    new = next(node for node in cluster.nodes if node is not old)
    new.raw("CLUSTER", "SETSLOT", slot, "IMPORTING", node_id(old))
    old.raw("CLUSTER", "SETSLOT", slot, "MIGRATING", node_id(new))
    try:
        await client.execute("moving", ("SET", "moving", "1"))
        found = await client.execute("moving", ("GET", "moving"))
        with pytest.raises(ResponseError):
            await client.execute("moving", ("HGET", "moving", "field"))

        assert found == b"1"
        assert client.place("moving") == f"127.0.0.1:{old.port}"
    finally:
        with open_asking(new) as asking:
            asking.execute_command("ASKING")
            asking.execute_command("DEL", "moving")
        for node in (new, old):
            node.raw("CLUSTER", "SETSLOT", slot, "STABLE")


async def test_keys_on_both_sides_of_a_move(cluster: RedisCluster, client: ClusterClient) -> None:
    """A script that needs both is refused for the moment."""
    await client.find()
    slot, old = key_slot(b"{both}"), cluster.node_of("{both}")
    new = next(node for node in cluster.nodes if node is not old)
    old.raw("SET", "{both}1", "1")
    new.raw("CLUSTER", "SETSLOT", slot, "IMPORTING", node_id(old))
    old.raw("CLUSTER", "SETSLOT", slot, "MIGRATING", node_id(new))
    try:
        with pytest.raises(ClusterDownError):
            await client.execute("{both}1", ("MGET", "{both}1", "{both}2"))
    finally:
        for node in (new, old):
            node.raw("CLUSTER", "SETSLOT", slot, "STABLE")
        old.raw("DEL", "{both}1")


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
    with RedisServer("--cluster-enabled", "yes", port=_port()) as alone:
        client = client_of(alone)
        with pytest.raises(ClusterDownError):
            await client.execute("a", ("GET", "a"))
        await client.close()
