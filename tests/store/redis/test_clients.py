"""One door for a server and for a cluster (Sentinel has its own tests with a failover)."""

from __future__ import annotations

from bridge.store.redis.address import read_address
from bridge.store.redis.clients import open_client
from tests.fakes.redis_server import RedisCluster, RedisServer


async def test_a_single_server(server: RedisServer) -> None:
    """Commands one by one and in one round trip, answers in their order."""
    client = open_client(read_address(server.url))

    await client.execute("tb:a", ("SET", "tb:a", "1"))
    answers = await client.execute_all([("GET", "tb:a"), ("GET", "tb:b")])

    assert answers == [b"1", None]
    await client.close()


async def test_an_answer_that_is_an_error(server: RedisServer) -> None:
    """It does not cost the answers beside it."""
    client = open_client(read_address(server.url))
    await client.execute("tb:a", ("SET", "tb:a", "text"))

    wrong, right = await client.execute_all([("INCR", "tb:a"), ("GET", "tb:a")])

    assert isinstance(wrong, Exception)
    assert right == b"text"
    await client.close()


async def test_a_cluster_is_asked_where_the_key_is() -> None:
    """Three masters, and every key is found."""
    with RedisCluster() as cluster:
        client = open_client(read_address(cluster.url))
        keys = [f"tb:{{{number}}}" for number in range(30)]

        for key in keys:
            await client.execute(key, ("SET", key, key))
        answers = await client.execute_all([("GET", key) for key in keys])

        assert answers == [key.encode() for key in keys]
        assert len({client.place(key) for key in keys}) == 3
        await client.close()
