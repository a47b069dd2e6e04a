"""What stands before the application in a worker that is one of several."""

from __future__ import annotations

import httpx
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route, WebSocketRoute
from starlette.testclient import TestClient
from starlette.websockets import WebSocket

from bridge.serving.front import Front


async def hello(request: Request) -> Response:
    return PlainTextResponse("hello")


async def greet(socket: WebSocket) -> None:
    await socket.accept()
    await socket.send_text("hello")
    await socket.close()


async def page() -> tuple[bytes, str]:
    return b"all of them\n", "text/plain; version=1"


ROUTES = [Route("/hello", hello), Route("/metrics", hello, methods=["POST"])]
FRONT = Front(Starlette(routes=[*ROUTES, WebSocketRoute("/media", greet)]), page)


async def ask(method: str, path: str) -> httpx.Response:
    transport = httpx.ASGITransport(app=FRONT)
    async with httpx.AsyncClient(transport=transport, base_url="http://inside") as client:
        return await client.request(method, path)


async def test_the_page_of_metrics_is_everybodys() -> None:
    answer = await ask("GET", "/metrics")

    assert answer.text == "all of them\n"
    assert answer.headers["content-type"] == "text/plain; version=1"
    assert answer.headers["connection"] == "close"


async def test_everything_else_is_the_applications() -> None:
    """And every answer is the last on its connection."""
    answers = [await ask("GET", "/hello"), await ask("POST", "/metrics")]

    assert [answer.text for answer in answers] == ["hello", "hello"]
    assert [answer.headers["connection"] for answer in answers] == ["close", "close"]


def test_sockets_go_through() -> None:
    with TestClient(FRONT).websocket_connect("/media") as socket:
        assert socket.receive_text() == "hello"
