"""The load over SIP against the bridge itself: calls, packets both ways, hang-up."""

from __future__ import annotations

import asyncio

from bridge.agent.agent import Agent
from bridge.bench.telephones import Telephones
from bridge.wire.sip.places import Transport
from tests.bench.relays import provider
from tests.journeys.stage import on_stage, until

HUNG_UP = b'fault="caller",reason="hangup"} 2.0'


async def test_a_bridge_takes_the_load_for_telephones() -> None:
    """All calls are answered and hear packets, which are told with how late they came."""
    async with provider() as (_, to):
        settings = {
            "OPENAI_API_KEY": "key",
            "OPENAI_BASE_URL": f"http://127.0.0.1:{to}/v1",
            "BRIDGE_SIP_LISTEN": "udp://127.0.0.1:0",
            "BRIDGE_SIP_PEERS": "127.0.0.1/32",
        }
        async with on_stage(Agent("Talk."), settings) as stage:
            assert stage.bridge is not None
            assert stage.bridge.sip is not None
            port = stage.bridge.sip.carrier.ports[Transport.UDP]
            load = Telephones()
            placed = await load.connect(port, 2, 0.02)
            await load.begin()
            async with asyncio.timeout(20):
                while (await load.report())["packets"] < 20:
                    await asyncio.sleep(0.05)
            report = await load.report()
            await load.hang_up()
            await load.close()
            await until(lambda: stage.service.metrics.render()[0].count(HUNG_UP))
            received = await stage.metric("bridge_rtp_packets_total", 'outcome="received"')

    assert placed == 2
    assert report["lost"] == 0
    assert len(report["behind_ms"]) == report["packets"]
    assert min(report["behind_ms"]) == 0
    assert max(report["behind_ms"]) < 5_000
    assert received > 10
