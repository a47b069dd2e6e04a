"""The processes' insides on this loop: a fake provider, and calls through a relay."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

from bridge.bench.fake import Fake, FakeSession
from bridge.bench.load import Load

__all__ = ["calls_through", "listening", "provider"]


@asynccontextmanager
async def listening(protocol: Callable[[], asyncio.Protocol]) -> AsyncIterator[int]:
    """A server on a free port of this machine; gives the port."""
    server = await asyncio.get_running_loop().create_server(protocol, "127.0.0.1", 0)
    async with server:
        yield server.sockets[0].getsockname()[1]


@asynccontextmanager
async def provider() -> AsyncIterator[tuple[Fake, int]]:
    """The fake provider and its port."""
    fake = Fake()
    async with listening(lambda: FakeSession(fake)) as port:
        yield fake, port
        await fake.listen(speaks=False)


async def calls_through(port: int, fake: Fake, calls: int) -> tuple[dict[str, Any], dict[str, Any]]:
    """Calls that last until each has heard something; what both ends report of them."""
    load = Load()
    await load.connect([f"http://127.0.0.1:{port}"], calls, "token", "/media", 0.02)
    async with asyncio.timeout(10):
        while sum(bool(each["heard"]) for each in load.calls().values()) < calls:
            await asyncio.sleep(0.02)
    reports = await load.report(), await fake.report()
    await load.hang_up()
    return reports
