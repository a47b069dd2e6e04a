"""The server under the application: its bounds, and how it stops."""

from __future__ import annotations

import asyncio
import signal
import socket

import httpx
import uvicorn

from bridge.agent.agent import Agent
from bridge.config import Config
from bridge.web.app import Bridge
from bridge.web.server import MAX_MESSAGE_SIZE, make_server
from tests.fakes.model import FakeModel
from tests.web.apps import CALL
from tests.wiring.parts import record, until


def a_server(**settings: str) -> tuple[uvicorn.Server, Bridge]:
    config = Config.from_environ(settings)
    bridge = Bridge(Agent("Be kind."), config, model=FakeModel())
    return make_server(bridge, "127.0.0.1", 0), bridge


def test_it_is_set_up_for_calls() -> None:
    """Messages are bounded, pings lenient, nothing is compressed, and it does not show off."""
    server, _ = a_server()
    config = server.config

    assert config.ws_max_size == MAX_MESSAGE_SIZE == 65_536
    assert config.ws_ping_interval == config.ws_ping_timeout == 60
    assert not config.ws_per_message_deflate
    assert not config.server_header
    assert not config.access_log


async def test_it_stops_at_once_when_nobody_calls() -> None:
    server, _ = a_server(BRIDGE_DRAIN_SECONDS="60")
    with socket.create_server(("127.0.0.1", 0)) as listener:
        serving = asyncio.create_task(server.serve(sockets=[listener]))
        await until(lambda: server.started)
        server.handle_exit(signal.SIGTERM, None)
        await asyncio.wait_for(serving, 5)


async def test_it_answers_while_it_drains_and_hurries_when_told_again() -> None:
    """Carriers have to be told what comes next; a second signal waits for no call."""
    server, bridge = a_server(BRIDGE_DRAIN_SECONDS="60")
    with socket.create_server(("127.0.0.1", 0)) as listener:
        origin = f"http://127.0.0.1:{listener.getsockname()[1]}"
        serving = asyncio.create_task(server.serve(sockets=[listener]))
        await until(lambda: server.started)
        await bridge.service.expect(record(bridge.service, CALL))
        server.handle_exit(signal.SIGTERM, None)
        await until(lambda: bridge.service.switchboard.draining)
        async with httpx.AsyncClient() as client:
            answer = await client.get(f"{origin}/readyz")
        assert not serving.done()
        server.handle_exit(signal.SIGTERM, None)
        await asyncio.wait_for(serving, 8)

    assert answer.json()["reason"] == "draining"
    assert not server.force_exit
