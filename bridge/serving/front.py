"""What stands before the application in a worker that is one of several."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

__all__ = ["Front"]

_CLOSE = (b"connection", b"close")


class Front:
    """
    Answers `GET /metrics` with `page`: the body and its content type.

    Every other answer asks for the connection to be closed. Each request then comes to the
    worker with the fewest connections, and none on a connection to a worker that is about
    to end. (A WebSocket is no answer in this sense.)
    """

    def __init__(self, app: ASGIApp, page: Callable[[], Awaitable[tuple[bytes, str]]]) -> None:
        self._app = app
        self._page = page

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return

        async def closing(message: Message) -> None:
            if message["type"] == "http.response.start":
                message = {**message, "headers": [*message.get("headers", ()), _CLOSE]}
            await send(message)

        app = self._app
        if scope["method"] == "GET" and scope["path"] == "/metrics":
            body, content_type = await self._page()
            app = Response(body, headers={"content-type": content_type})
        await app(scope, receive, closing)
