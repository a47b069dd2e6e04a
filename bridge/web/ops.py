"""For the platform: is the process alive, are new calls welcome, what has been counted."""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.routing import BaseRoute, Route

from bridge.wiring.service import Service

__all__ = ["OpsRoutes"]


class OpsRoutes:
    """`/healthz`, `/readyz` and `/metrics`."""

    def __init__(self, service: Service) -> None:
        self._service = service

    def routes(self) -> list[BaseRoute]:
        return [
            Route("/healthz", self.healthz, methods=["GET"]),
            Route("/readyz", self.readyz, methods=["GET"]),
            Route("/metrics", self.metrics, methods=["GET"]),
        ]

    async def healthz(self, request: Request) -> Response:
        return PlainTextResponse("alive\n")

    async def readyz(self, request: Request) -> Response:
        """
        404 and never 503 while new calls are not welcome: a balancer that cuts the sessions
        of a server that is down would cut the calls in progress.
        """
        refusal = self._service.refusal
        ready = refusal is None
        body = {"ready": ready, "reason": refusal, "calls": len(self._service.switchboard)}
        return JSONResponse(body, status_code=200 if ready else 404)

    async def metrics(self, request: Request) -> Response:
        self._service.tallies.update()
        text, content_type = self._service.metrics.render()
        return Response(text, headers={"content-type": content_type})
