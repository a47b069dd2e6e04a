"""A bridge that answers SIP on loopback, on ports that were free."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass

from bridge.agent.agent import Agent
from bridge.wire.sip.places import Place, Transport
from tests.carriers.sip.phone import HOST, free_ports
from tests.journeys.stage import Stage, on_stage

__all__ = ["SipStage", "sip_settings", "sip_stage"]


@dataclass(slots=True)
class SipStage:
    """`stage` is everything else about the bridge: its metrics, its service."""

    stage: Stage
    ports: dict[Transport, int]

    def place(self, transport: Transport = Transport.UDP, host: str = HOST) -> Place:
        """Where the bridge is called."""
        return Place(transport, host, self.ports[transport])


def sip_settings(*transports: str, port: int = 0, **more: str) -> dict[str, str]:
    """SIP on, for calls from this machine. `transports`: udp, tcp, tls; port 0 takes any."""
    first, last = free_ports()
    places = [f"{each}://{HOST}:{port}" for each in transports or ("udp",)]
    return {
        "BRIDGE_SIP_LISTEN": ",".join(places),
        "BRIDGE_SIP_PEERS": f"{HOST}/32",
        "BRIDGE_SIP_RTP_PORTS": f"{first}-{last}",
        **more,
    }


@asynccontextmanager
async def sip_stage(
    agent: Agent, settings: Mapping[str, str], *transports: str
) -> AsyncIterator[SipStage]:
    """
    The bridge in this process:

        async with sip_stage(agent, openai(fake), "udp", "tcp") as sip:
            port = sip.ports[Transport.UDP]
    """
    async with on_stage(agent, {**sip_settings(*transports), **settings}) as stage:
        assert stage.bridge is not None
        assert stage.bridge.sip is not None
        yield SipStage(stage, dict(stage.bridge.sip.carrier.ports))
