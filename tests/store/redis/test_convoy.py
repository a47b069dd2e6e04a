"""Who asks in the same turn goes together, and is answered as if alone."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import Any

import pytest

from bridge.store.redis.convoy import MOST, Command, Convoy


class Server:
    """Says each command back, once it may; an argument that is an error is the answer."""

    def __init__(self) -> None:
        self.asked: list[Sequence[Command]] = []
        self.may = asyncio.Event()
        self.may.set()
        self.fails: Exception | None = None
        self.cancelled = 0

    async def __call__(self, commands: Sequence[Command]) -> Sequence[Any]:
        self.asked.append(commands)
        try:
            await self.may.wait()
        except asyncio.CancelledError:
            self.cancelled += 1
            raise
        if self.fails is not None:
            raise self.fails
        return [ValueError(name) if name == "BAD" else name for name, *_ in commands]


async def test_one_turn_is_one_journey() -> None:
    """And the next turn is the next."""
    server = Server()
    convoy = Convoy(server)

    first = await asyncio.gather(*(convoy.execute((name,)) for name in "abc"))
    then = await convoy.execute(("d",))

    assert (first, then) == (["a", "b", "c"], "d")
    assert [len(commands) for commands in server.asked] == [3, 1]


async def test_a_crowd_is_several_journeys() -> None:
    server = Server()
    convoy = Convoy(server)

    await asyncio.gather(*(convoy.execute(("a",)) for _ in range(MOST + 1)))

    assert [len(commands) for commands in server.asked] == [MOST, 1]


async def test_each_has_its_own_error() -> None:
    server = Server()
    convoy = Convoy(server)

    found = await asyncio.gather(
        convoy.execute(("a",)), convoy.execute(("BAD",)), return_exceptions=True
    )

    assert found[0] == "a"
    assert isinstance(found[1], ValueError)


async def test_a_server_that_fails_fails_for_all() -> None:
    server = Server()
    server.fails = ConnectionResetError()
    convoy = Convoy(server)

    found = await asyncio.gather(
        convoy.execute(("a",)), convoy.execute(("b",)), return_exceptions=True
    )

    assert [type(answer) for answer in found] == [ConnectionResetError] * 2


async def test_who_waits_no_longer_is_nobody_elses_business() -> None:
    server = Server()
    server.may.clear()
    convoy = Convoy(server)
    gone, stays = (asyncio.create_task(convoy.execute((name,))) for name in "ab")
    while not server.asked:
        await asyncio.sleep(0)

    gone.cancel()
    await asyncio.wait([gone])
    server.may.set()

    assert await stays == "b"
    assert gone.cancelled()
    assert server.cancelled == 0


async def test_where_nobody_waits_nobody_travels() -> None:
    """A server that hangs keeps no connection for those who have given up."""
    server = Server()
    server.may.clear()
    convoy = Convoy(server)
    waiting = [asyncio.create_task(convoy.execute((name,))) for name in "ab"]
    early = asyncio.create_task(convoy.execute(("c",)))
    while not server.asked:
        await asyncio.sleep(0)
    for task in (early, *waiting):
        task.cancel()
    await asyncio.wait([early, *waiting])
    await asyncio.sleep(0)

    assert server.cancelled == 1


async def test_who_has_gone_before_it_begins_is_not_asked_for() -> None:
    server = Server()
    convoy = Convoy(server)
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(0):
            await convoy.execute(("a",))
    await asyncio.sleep(0)

    assert server.asked == []


async def test_at_the_end_nobody_waits() -> None:
    server = Server()
    server.may.clear()
    convoy = Convoy(server)
    waiting = asyncio.create_task(convoy.execute(("a",)))
    while not server.asked:
        await asyncio.sleep(0)

    await convoy.close()

    with pytest.raises(asyncio.CancelledError):
        await waiting
