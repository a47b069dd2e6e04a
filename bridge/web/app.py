"""The bridge as an ASGI application, by itself or inside another one."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from http import HTTPStatus
from pathlib import Path
from typing import Any

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from bridge.agent.agent import Agent
from bridge.config import Config, environment
from bridge.ports.model import RealtimeModel
from bridge.ports.store import CallStore
from bridge.telemetry import lag
from bridge.web.bodies import error
from bridge.web.calls import CallRoutes
from bridge.web.ops import OpsRoutes
from bridge.web.twilio import TwilioRoutes
from bridge.wiring.compose import Plan, compose, plan
from bridge.wiring.service import Service
from bridge.wiring.sip import SipFront, answering_sip

__all__ = ["Bridge"]


class Bridge:
    """
    The bridge as an ASGI application: `uvicorn module:bridge`.

    Without a configuration it reads the environment and `.env` when it starts; with one it
    raises ConfigError at once where agent, model and settings do not fit together. Inside
    another application, mount it and let that application's lifespan run it:

        bridge = Bridge(agent, config)
        app = FastAPI(lifespan=bridge.lifespan)
        app.mount("/phone", bridge)
    """

    def __init__(
        self,
        agent: Agent | None = None,
        config: Config | None = None,
        *,
        model: RealtimeModel | None = None,
        store: CallStore | None = None,
    ) -> None:
        self._agent = agent
        self._model = model
        self._store = store
        self._plan = None if config is None else plan(config, agent, model)
        self._service: Service | None = None
        self.sip: SipFront | None = None
        """What answers SIP; only while the lifespan lasts, and where it is on."""
        self._app = Starlette(lifespan=self.lifespan, exception_handlers={HTTPException: _refused})

    @property
    def service(self) -> Service:
        """What is at work; only while the lifespan lasts."""
        if self._service is None:
            raise RuntimeError("the bridge is not running: its lifespan has to be entered first")
        return self._service

    @property
    def busy(self) -> bool:
        """Whether a call is in progress."""
        return self._service is not None and len(self._service.switchboard) > 0

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        await self._app(scope, receive, send)

    @asynccontextmanager
    async def lifespan(self, app: Any = None) -> AsyncIterator[None]:
        """Set the service up, and let go of everything at the end."""
        service = compose(self._plan or self._plan_from_environment(), self._store)
        routes = [*CallRoutes(service).routes(), *OpsRoutes(service).routes()]
        if service.config.serves_twilio:
            routes += TwilioRoutes(service).routes()
        self._app.router.routes = routes
        self._service = service
        watch = asyncio.create_task(lag.watch(service.loop_lagged), name="lag")
        try:
            async with service.at_work(), answering_sip(service) as self.sip:
                yield
        finally:
            watch.cancel()
            with suppress(asyncio.CancelledError):
                await watch
            self._app.router.routes = []
            self._service = self.sip = None
            await service.close()

    async def drain(self) -> None:
        """Before the lifespan ends: see `Service.drain`."""
        await self.service.drain()

    def _plan_from_environment(self) -> Plan:
        config = Config.from_environ(environment(Path.cwd()))
        return plan(config, self._agent, self._model)


async def _refused(request: Request, exc: Exception) -> Response:
    assert isinstance(exc, HTTPException)
    code = HTTPStatus(exc.status_code).phrase.lower().replace(" ", "_")
    return error(exc.status_code, code, exc.detail, **(exc.headers or {}))
