"""The bridge as a part of somebody's own application."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest
import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse
from starlette.routing import Mount, Route

from bridge.agent.agent import Agent
from bridge.config import Config
from bridge.simulator.caller import CutLine, WaitForAgent
from bridge.simulator.caller import Say as CallerSays
from bridge.simulator.carrier import ACCOUNT_SID, SimulatedCarrier
from bridge.web.app import Bridge
from bridge.web.direct import DirectProtocol
from tests.fakes.openai_realtime import FakeOpenAI, Say, Script
from tests.journeys import sound
from tests.journeys.stage import ADMIN, INSTRUCTIONS, PUBLIC, QUICK, TOKEN, Stage, openai


@pytest.mark.parametrize("protocol", ["websockets-sansio", DirectProtocol])
async def test_a_mounted_bridge_takes_whole_calls(protocol: Any) -> None:
    """
    Its URLs have the prefix, and the signatures fit: a call even comes back there. And it is
    all the same whether the server has our WebSocket protocol or its own.
    """
    answer = sound.voice(1.0)
    script = Script(otherwise=Say("Yes?", audio=answer))
    async with FakeOpenAI(script) as fake, application(fake, protocol) as stage:
        home = await stage.ask("GET", "/")
        ready = await stage.ask("GET", "/phone/readyz")
        calls = await stage.ask("GET", "/phone/calls")
        says = (CallerSays(sound.word()), WaitForAgent(0.3))
        report = await stage.place(*says, CutLine(), *says)
        nothing = await stage.ask("GET", "/phone/nothing")

    assert (home.text, ready.status_code, calls.json()) == ("mine", 200, {"calls": []})
    assert nothing.json() == {"error": {"code": "not_found", "message": "Not Found"}}
    assert report.heard.count(sound.ulaw_of(answer)) == 2
    assert len(report.streams) == 2
    assert report.violations == ()
    urls = [moment.text for moment in report.timeline if "/twilio/" in moment.text]
    assert all("/phone/twilio/" in url for url in urls)


@asynccontextmanager
async def application(fake: FakeOpenAI, protocol: Any) -> AsyncIterator[Stage]:
    """Somebody's application with a page of its own, and the bridge under /phone."""

    async def home(request: Request) -> PlainTextResponse:
        return PlainTextResponse("mine")

    environ = {
        "BRIDGE_PUBLIC_URL": PUBLIC,
        "BRIDGE_ADMIN_TOKEN": ADMIN,
        "TWILIO_ACCOUNT_SID": ACCOUNT_SID,
        "TWILIO_AUTH_TOKEN": TOKEN,
    }
    config = Config.from_environ({**environ, **openai(fake)})
    bridge = Bridge(Agent(INSTRUCTIONS, vad=QUICK), config)
    app = Starlette(routes=[Route("/", home), Mount("/phone", bridge)], lifespan=bridge.lifespan)
    with socket.create_server(("127.0.0.1", 0)) as listener:
        origin = f"http://127.0.0.1:{listener.getsockname()[1]}"
        server = uvicorn.Server(uvicorn.Config(app, log_config=None, ws=protocol))
        serving = asyncio.create_task(server.serve(sockets=[listener]))
        while not server.started:
            await asyncio.sleep(0.005)
        carrier = SimulatedCarrier(
            webhook_url=f"{PUBLIC}/phone/twilio/voice", origins={PUBLIC: origin}, auth_token=TOKEN
        )
        try:
            yield Stage(origin, carrier, bridge)
        finally:
            server.should_exit = True
            await serving
