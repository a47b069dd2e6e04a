"""
The operator's API: the calls in progress, and what can be done with them.

Rule: without BRIDGE_ADMIN_TOKEN it is closed to everybody, loopback included: behind a
proxy on the same host every stranger looks local.
"""

from __future__ import annotations

import hmac
import json
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import BaseRoute, Route

from bridge.call.timeline import Entry
from bridge.errors import RealtimeError, StoreError
from bridge.ports.store import CallSummary
from bridge.web.bodies import TooLong, error, read_body
from bridge.web.changes import BadChange, read_change
from bridge.wiring.carryover import entries
from bridge.wiring.service import Service

__all__ = ["CallRoutes"]

MAX_BODY_SIZE = 256 * 1024  # bytes
SCHEME = "bearer"

Handler = Callable[[Request], Awaitable[Response]]


class CallRoutes:
    """The routes below `/calls`."""

    def __init__(self, service: Service) -> None:
        self._service = service

    def routes(self) -> list[BaseRoute]:
        return [
            Route("/calls", self._guarded(self.list), methods=["GET"]),
            Route("/calls/{call}", self._guarded(self.show), methods=["GET"]),
            Route("/calls/{call}", self._guarded(self.hang_up), methods=["DELETE"]),
            Route("/calls/{call}/session", self._guarded(self.change), methods=["POST"]),
        ]

    async def list(self, request: Request) -> Response:
        """The calls in progress on all workers."""
        calls = await self._service.store.calls()
        return JSONResponse({"calls": [_summary(call) for call in calls]})

    async def show(self, request: Request) -> Response:
        """One call with its timeline."""
        call_id = request.path_params["call"]
        call = self._service.switchboard.find(call_id)
        if call is None:
            return await self._show_elsewhere(call_id)
        return JSONResponse(
            {
                "call": call.call_id,
                "carrier": call.carrier,
                "state": "live",
                "worker": self._service.worker,
                "started_at": _moment(call.started_at),
                "timeline": [_line(entry) for entry in call.timeline],
            }
        )

    async def _show_elsewhere(self, call_id: str) -> Response:
        listed = {call.call_id: call for call in await self._service.store.calls()}
        record = await self._service.store.look(call_id) if call_id in listed else None
        if record is None:
            return _unknown()
        timeline = [_line(entry) for entry in entries(record.timeline)]
        return JSONResponse(_summary(listed[call_id]) | {"timeline": timeline})

    async def hang_up(self, request: Request) -> Response:
        """End a call on any worker."""
        known = await self._service.hang_up(request.path_params["call"])
        return Response(status_code=204) if known else _unknown()

    async def change(self, request: Request) -> Response:
        """Change instructions, tools or voice of a live call; the last write wins."""
        try:
            body = _json(await read_body(request, MAX_BODY_SIZE))
            wish = read_change(body, self._service.agent.tools)
        except TooLong:
            return error(413, "too_long", f"the body may have {MAX_BODY_SIZE} bytes")
        except BadChange as wrong:
            return error(400, "bad_request", str(wrong))
        call_id = request.path_params["call"]
        try:
            result = await self._service.change(call_id, wish)
        except RealtimeError as refused:
            return error(409, "refused", str(refused))
        if result is None:
            return _unknown()
        return JSONResponse({"call": call_id, "result": result}, status_code=202)

    def _guarded(self, handler: Handler) -> Handler:
        async def guarded(request: Request) -> Response:
            token = self._service.config.admin_token
            if token is None:
                return error(403, "closed", "set BRIDGE_ADMIN_TOKEN to open the operator's API")
            scheme, _, given = request.headers.get("authorization", "").partition(" ")
            fits = hmac.compare_digest(given.strip().encode(), token.reveal().encode())
            if scheme.lower() != SCHEME or not fits:
                advice = "send Authorization: Bearer, and the BRIDGE_ADMIN_TOKEN"
                return error(401, "unauthorized", advice, **{"WWW-Authenticate": "Bearer"})
            try:
                return await handler(request)
            except StoreError as exc:
                return error(503, "store", str(exc))

        return guarded


def _json(body: bytes) -> Any:
    try:
        return json.loads(body)
    except (ValueError, RecursionError):
        raise BadChange("the body is not JSON") from None


def _summary(call: CallSummary) -> dict[str, Any]:
    return {
        "call": call.call_id,
        "carrier": call.carrier,
        "state": call.state,
        "worker": call.worker,
        "started_at": _moment(call.started_at),
    }


def _line(entry: Entry) -> dict[str, Any]:
    happened = entry.happened
    return {
        "at": round(entry.at, 3),
        "what": happened.what,
        "detail": happened.detail,
        "seconds": None if happened.seconds is None else round(happened.seconds, 4),
    }


def _moment(unix: float) -> str:
    return datetime.fromtimestamp(unix, UTC).isoformat(timespec="seconds").replace("+00:00", "Z")


def _unknown() -> Response:
    return error(404, "unknown_call", "no such call is in progress")
