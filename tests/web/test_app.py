"""The bridge as an ASGI application."""

from __future__ import annotations

import httpx
import pytest
from starlette.applications import Starlette
from starlette.routing import Mount

from bridge.agent.agent import Agent
from bridge.config import Config
from bridge.errors import ConfigError
from bridge.web.app import Bridge
from tests.carriers.sip.phone import free_ports
from tests.fakes.model import FakeModel
from tests.web.apps import an_app

NAMED = Config.from_environ({"BRIDGE_PUBLIC_URL": "https://bridge.example"})


async def test_outside_of_its_lifespan_there_is_no_bridge() -> None:
    """Requests find nothing, and who asks for the service is told why."""
    bridge = Bridge(Agent("Be kind."), NAMED, model=FakeModel())
    transport = httpx.ASGITransport(app=bridge)
    async with httpx.AsyncClient(transport=transport, base_url="http://inside") as client:
        before = await client.get("/healthz")
        async with bridge.lifespan():
            during = await client.get("/healthz")
        after = await client.get("/healthz")

    assert [before.status_code, during.status_code, after.status_code] == [404, 200, 404]
    with pytest.raises(RuntimeError, match="lifespan"):
        _ = bridge.service


async def test_it_can_run_again() -> None:
    """Whatever runs it may be restarted in the same process."""
    bridge = Bridge(Agent("Be kind."), NAMED, model=FakeModel())
    workers = set()
    for _ in range(2):
        async with bridge.lifespan():
            workers.add(bridge.service.worker)

    assert len(workers) == 2


def test_what_does_not_fit_together_is_said_at_once() -> None:
    """Not in the middle of a server's start."""
    with pytest.raises(ConfigError, match="BRIDGE_AUDIO"):
        Bridge(config=Config.from_environ({"GEMINI_API_KEY": "k", "BRIDGE_AUDIO": "g711"}))


async def test_without_a_configuration_the_environment_says(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Read when it starts, and only then."""
    bridge = Bridge(Agent("Be kind."), model=FakeModel())
    monkeypatch.setenv("BRIDGE_MAX_CALLS", "3")
    async with bridge.lifespan():
        assert bridge.service.config.max_calls == 3


@pytest.mark.parametrize(
    ("method", "path", "status", "code"),
    [("GET", "/nothing", 404, "not_found"), ("PUT", "/calls", 405, "method_not_allowed")],
)
async def test_what_is_not_there_is_said_in_the_same_shape(
    method: str, path: str, status: int, code: str
) -> None:
    async with an_app() as app:
        answer = await app.client.request(method, path)

    assert answer.status_code == status
    assert answer.json()["error"]["code"] == code


async def test_inside_another_application_it_has_a_prefix() -> None:
    bridge = Bridge(Agent("Be kind."), NAMED, model=FakeModel())
    outer = Starlette(routes=[Mount("/phone", bridge)], lifespan=bridge.lifespan)
    transport = httpx.ASGITransport(app=outer)
    client = httpx.AsyncClient(transport=transport, base_url="http://inside")
    async with outer.router.lifespan_context(outer), client:
        answers = [await client.get(path) for path in ("/phone/healthz", "/healthz")]

    assert [answer.status_code for answer in answers] == [200, 404]


async def test_where_sip_alone_is_answered_nobody_can_pose_as_twilio() -> None:
    """Its webhooks are there only where somebody wants them, and can be checked."""
    first, _ = free_ports()
    config = Config.from_environ(
        {
            "BRIDGE_SIP_LISTEN": "udp://127.0.0.1:0",
            "BRIDGE_SIP_RTP_PORTS": f"{first}-{first + 1}",
        }
    )
    bridge = Bridge(Agent("Be kind."), config, model=FakeModel())
    transport = httpx.ASGITransport(app=bridge)
    async with (
        bridge.lifespan(),
        httpx.AsyncClient(transport=transport, base_url="http://inside") as client,
    ):
        answering = bridge.sip is not None
        answer = await client.post("/twilio/voice")

    assert answering
    assert answer.status_code == 404
    assert bridge.sip is None
