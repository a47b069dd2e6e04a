"""The bridge as an ASGI application, by itself or inside another one."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import Any

from starlette.applications import Starlette
from starlette.types import Receive, Scope, Send

from bridge.agent.agent import Agent
from bridge.config import Config, environment
from bridge.ports.model import RealtimeModel
from bridge.ports.store import CallStore
from bridge.telemetry import lag
from bridge.web.calls import CallRoutes
from bridge.web.ops import OpsRoutes
from bridge.web.twilio import TwilioRoutes
from bridge.wiring.compose import compose
from bridge.wiring.service import Service

__all__ = ["Bridge"]


class Bridge:
    """
    The bridge as an ASGI application: `uvicorn module:bridge`.

    Without a configuration it reads the environment and `.env` when it starts. Inside
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
        self._config = config
        self._agent = agent
        self._model = model
        self._store = store
        self._service: Service | None = None
        self._app = Starlette(lifespan=self.lifespan)

    @property
    def service(self) -> Service:
        """What is at work; only while the lifespan lasts."""
        if self._service is None:
            raise RuntimeError("the bridge is not running: its lifespan has to be entered first")
        return self._service

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        await self._app(scope, receive, send)

    @asynccontextmanager
    async def lifespan(self, app: Any = None) -> AsyncIterator[None]:
        """Set the service up, and let go of everything at the end."""
        config = self._config or Config.from_environ(environment(Path.cwd()))
        service = compose(config, self._agent, model=self._model, store=self._store)
        rooms = (TwilioRoutes(service), CallRoutes(service), OpsRoutes(service))
        self._app.router.routes = [route for room in rooms for route in room.routes()]
        self._service = service
        watch = asyncio.create_task(lag.watch(service.metrics.loop_lagged), name="lag")
        try:
            yield
        finally:
            watch.cancel()
            with suppress(asyncio.CancelledError):
                await watch
            await service.close()
            self._service = None
