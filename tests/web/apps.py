"""A bridge without a server: requests go into the application, as ASGI has them."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

import httpx

from bridge.agent.agent import Agent
from bridge.config import Config
from bridge.ports.store import CallStore
from bridge.simulator.carrier import ACCOUNT_SID
from bridge.web.app import Bridge
from bridge.wire.twilio import signature, webhook
from bridge.wire.twilio.signature import Form
from bridge.wiring.service import Service
from tests.fakes.model import FakeModel

__all__ = ["ADMIN", "CALL", "PUBLIC", "TOKEN", "App", "an_app", "form_of"]

PUBLIC = "https://bridge.example"
TOKEN = "0123456789abcdef0123456789abcdef"
ADMIN = "the-operators-own-token"
CALL = "CA" + "1" * 32


@dataclass
class App:
    """The application at work."""

    bridge: Bridge
    model: FakeModel
    client: httpx.AsyncClient

    @property
    def service(self) -> Service:
        return self.bridge.service

    async def post(
        self, path: str, form: Form, *, token: str | None = TOKEN, **headers: str
    ) -> httpx.Response:
        """A form, signed with `token` or not at all."""
        if token is not None:
            headers["X-Twilio-Signature"] = signature.sign_form(PUBLIC + path, form, token)
        headers.setdefault("Content-Type", "application/x-www-form-urlencoded")
        content = webhook.write_form(form)
        return await self.client.post(path, content=content, headers=headers)

    def counted(self, line: str) -> bool:
        """Whether this is a line of the metrics."""
        self.service.tallies.update()
        return line in self.service.metrics.render()[0].decode().splitlines()


@asynccontextmanager
async def an_app(
    agent: Agent | None = None, *, store: CallStore | None = None, **settings: str
) -> AsyncIterator[App]:
    """All sessions with the model have to be closed in the end."""
    usual = {
        "BRIDGE_PUBLIC_URL": PUBLIC,
        "BRIDGE_ADMIN_TOKEN": ADMIN,
        "BRIDGE_DRAIN_SECONDS": "0",
        "BRIDGE_MAX_CALLS": "100",
        "TWILIO_ACCOUNT_SID": ACCOUNT_SID,
        "TWILIO_AUTH_TOKEN": TOKEN,
    }
    config = Config.from_environ({**usual, **settings})
    model = FakeModel()
    bridge = Bridge(agent or Agent("Be kind."), config, model=model, store=store)
    transport = httpx.ASGITransport(app=bridge)
    client = httpx.AsyncClient(transport=transport, base_url="http://inside")
    async with bridge.lifespan(), client:
        yield App(bridge, model, client)
    model.check()


def form_of(call_id: str = CALL, status: str = "ringing", **more: Any) -> Form:
    """What Twilio posts for a call."""
    request = webhook.VoiceRequest(
        call_id, ACCOUNT_SID, "+15005550006", "+15005550001", status=status, parameters=more
    )
    return webhook.write_voice(request)
