"""A connection answers in bounded time, or says that it cannot."""

from __future__ import annotations

import time

import pytest

from bridge.errors import StoreError
from bridge.store.redis.address import read_address
from bridge.store.redis.connection import Connection
from tests.fakes.redis_server import RedisServer, free_port


async def test_a_command_and_its_answer(server: RedisServer) -> None:
    """Nothing is connected before the first."""
    connection = Connection(read_address(server.url))

    await connection.ask("tb:x", ("SET", "tb:x", "1"), within=5.0)
    answers = await connection.ask_all([("GET", "tb:x"), ("GET", "tb:y")], within=5.0)

    assert answers == [b"1", None]
    await connection.close()


async def test_nobody_is_there() -> None:
    """A StoreError, soon, without the address's password."""
    address = read_address(f"redis://user:hunter2@127.0.0.1:{free_port()}/0")
    connection = Connection(address)
    begun = time.monotonic()

    with pytest.raises(StoreError) as refused:
        await connection.ask("tb:x", ("GET", "tb:x"), within=0.3)

    assert time.monotonic() - begun < 3.0
    assert "hunter2" not in str(refused.value)
    await connection.close()


async def test_a_server_that_hangs_costs_so_much_and_no_more() -> None:
    """And is used again when it goes on."""
    with RedisServer() as server:
        connection = Connection(read_address(server.url))
        await connection.ask("tb:x", ("SET", "tb:x", "1"), within=5.0)
        server.freeze()
        begun = time.monotonic()
        with pytest.raises(StoreError):
            await connection.ask("tb:x", ("GET", "tb:x"), within=0.2)
        waited = time.monotonic() - begun
        server.thaw()

        assert waited < 3.0
        assert await connection.ask("tb:x", ("GET", "tb:x"), within=5.0) == b"1"
        await connection.close()


async def test_after_the_close_there_is_nothing(server: RedisServer) -> None:
    """Closing twice is harmless."""
    connection = Connection(read_address(server.url))
    await connection.ask("tb:x", ("GET", "tb:x"), within=5.0)

    await connection.close()
    await connection.close()

    with pytest.raises(StoreError):
        await connection.ask("tb:x", ("GET", "tb:x"), within=1.0)
