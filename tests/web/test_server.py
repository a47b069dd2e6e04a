"""The server under the application: its bounds, and how it stops."""

from __future__ import annotations

import asyncio
import signal
import socket

import httpx
import uvicorn
from starlette.types import Receive, Scope, Send

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


class Gate:
    """An intake through which nobody comes; remembers when it was opened and closed."""

    def __init__(self) -> None:
        self.opened: uvicorn.Server | None = None
        self.closed_while_draining: bool | None = None
        self.bridge: Bridge | None = None

    async def open(self, server: uvicorn.Server) -> None:
        self.opened = server

    async def close(self) -> None:
        assert self.bridge is not None
        self.closed_while_draining = self.bridge.service.switchboard.draining


async def test_connections_may_come_from_elsewhere() -> None:
    """Then it listens on nothing, and lets none in any more once the calls are over."""
    gate = Gate()
    gate.bridge = Bridge(Agent("Be kind."), Config.from_environ({}), model=FakeModel())
    server = make_server(gate.bridge, "127.0.0.1", 0, intake=gate)
    serving = asyncio.create_task(server.serve())
    await until(lambda: gate.opened is server)
    listening = list(server.servers)
    server.handle_exit(signal.SIGTERM, None)
    await asyncio.wait_for(serving, 8)

    assert listening == []
    assert gate.closed_while_draining is True


def test_what_a_supervisor_sends_on_may_come_twice() -> None:
    """A platform tells every process to stop, and the supervisor tells its workers again."""
    gate = Gate()
    bridge = Bridge(Agent("Be kind."), Config.from_environ({}), model=FakeModel())
    alone = make_server(bridge, "127.0.0.1", 0)
    supervised = make_server(bridge, "127.0.0.1", 0, intake=gate)
    for server in (alone, supervised):
        for _ in range(3):
            server.handle_exit(signal.SIGTERM, None)
    at_first = supervised.force_exit
    supervised.handle_exit(signal.SIGINT, None)
    supervised.handle_exit(signal.SIGINT, None)

    assert alone.force_exit
    assert not at_first
    assert supervised.force_exit


async def test_an_application_may_stand_before_the_bridge() -> None:
    asked: list[str] = []
    bridge = Bridge(Agent("Be kind."), Config.from_environ({}), model=FakeModel())

    async def front(scope: Scope, receive: Receive, send: Send) -> None:
        asked.append(scope["type"])
        await bridge(scope, receive, send)

    server = make_server(bridge, "127.0.0.1", 0, app=front, intake=None)
    with socket.create_server(("127.0.0.1", 0)) as listener:
        serving = asyncio.create_task(server.serve(sockets=[listener]))
        await until(lambda: server.started)
        server.should_exit = True
        await asyncio.wait_for(serving, 8)

    assert asked == ["lifespan"]
