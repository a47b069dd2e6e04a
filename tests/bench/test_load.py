"""The load against the bridge itself: webhook, stream, marks, hang-up."""

from __future__ import annotations

import asyncio

from bridge.bench.caller import ACCOUNT
from bridge.bench.load import Load
from bridge.bench.subjects import free_port
from bridge.config import Config
from bridge.web.app import Bridge
from bridge.web.server import make_server
from tests.bench.relays import provider

TOKEN = "t" * 32


async def test_a_bridge_takes_the_load_for_a_carrier() -> None:
    """Signed webhooks and streams, frames without a gap, and marks that come back in time."""
    port = free_port()
    async with provider() as (_, to):
        config = Config.from_environ(
            {
                "BRIDGE_PUBLIC_URL": f"http://127.0.0.1:{port}",
                "TWILIO_ACCOUNT_SID": ACCOUNT,
                "TWILIO_AUTH_TOKEN": TOKEN,
                "OPENAI_API_KEY": "key",
                "OPENAI_BASE_URL": f"http://127.0.0.1:{to}/v1",
            }
        )
        bridge = Bridge(None, config)
        server = make_server(bridge, "127.0.0.1", port)
        serving = asyncio.create_task(server.serve())
        while not server.started:
            await asyncio.sleep(0.01)
        load = Load()
        placed = await load.connect([f"http://127.0.0.1:{port}"], 2, TOKEN, "", 0.02)
        async with asyncio.timeout(20):
            while sum(len(each["heard"]) >= 4 for each in load.calls().values()) < 2:
                await asyncio.sleep(0.05)
        page = bridge.service.metrics.render()[0].decode()
        report = await load.report()
        await load.hang_up()
        metrics = bridge.service.metrics
        server.should_exit = True
        await serving

    ended = metrics.render()[0].decode()
    assert placed == 2
    assert report["lost"] == 0
    assert len(report["webhook_ms"]) == 2
    assert 'bridge_calls_live{carrier="twilio"} 2.0' in page
    assert "bad_frames_total{" not in ended
    assert 'fault="caller",reason="hangup"} 2.0' in ended


async def test_a_call_that_is_refused_is_missing() -> None:
    """The load goes on without it."""
    load = Load()

    placed = await load.connect([f"http://127.0.0.1:{free_port()}"], 2, TOKEN, "", 0.0)

    assert placed == 0
    assert (await load.report())["calls"] == {}
