"""The plain relay carries calls, or it would be no comparison."""

from __future__ import annotations

import asyncio

import uvicorn

from bridge.bench.plain import relay
from bridge.bench.subjects import free_port
from tests.bench.relays import calls_through, provider


async def test_calls_go_through() -> None:
    """In both directions."""
    port = free_port()
    async with provider() as (fake, to):
        app = relay(f"ws://127.0.0.1:{to}/v1/realtime")
        config = uvicorn.Config(app, port=port, log_level="critical", lifespan="off")
        server = uvicorn.Server(config)
        serving = asyncio.create_task(server.serve())
        while not server.started:
            await asyncio.sleep(0.01)
        load, heard = await calls_through(port, fake, 2)
        server.should_exit = True
        await serving

    assert sorted(heard["sessions"]) == sorted(load["calls"]) == [0, 1]
    assert all(call["heard"][0] == 800 for call in load["calls"].values())
