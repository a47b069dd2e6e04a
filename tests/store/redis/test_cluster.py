"""Who keeps which slot of a cluster."""

from __future__ import annotations

import pytest
from redis.exceptions import RedisError

from bridge.store.redis.address import read_address
from bridge.store.redis.clients import open_client
from tests.fakes.redis_server import RedisCluster, free_port


async def test_what_fails_together_has_one_place() -> None:
    """The keys of one call are on one node, and the map says on which."""
    with RedisCluster() as cluster:
        client = open_client(read_address(cluster.url))
        await client.find()

        places = {client.place(f"tb:{{CA1}}:{part}") for part in ("call", "log", "mail")}

        assert len(places) == 1
        assert places != {""}
        assert client.place(None) == "all"
        await client.close()


async def test_no_node_answers() -> None:
    """An error of redis-py's, for the connection to put into our words."""
    client = open_client(read_address(f"redis+cluster://127.0.0.1:{free_port()}"))

    with pytest.raises((RedisError, OSError)):
        await client.execute("tb:x", ("GET", "tb:x"))

    await client.close()
