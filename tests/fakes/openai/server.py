"""The fake on a real socket."""

from __future__ import annotations

import asyncio
from http import HTTPStatus
from types import TracebackType
from typing import Self
from urllib.parse import parse_qs, urlsplit

from websockets.asyncio.server import Server, ServerConnection, serve
from websockets.exceptions import ConnectionClosed
from websockets.http11 import Request, Response

from tests.fakes.openai.news import News
from tests.fakes.openai.schema import Problem
from tests.fakes.openai.script import Drop, Script, Stall
from tests.fakes.openai.session import FakeSession

__all__ = ["FakeOpenAI"]

_PATHS = {"/v1/realtime", "/openai/v1/realtime"}


class FakeOpenAI(News):
    """
    A Realtime API on a free port of 127.0.0.1; the n-th handshake gets the n-th script, and
    those after the last script get the last.

    Leaving it raises AssertionError when a client said anything that the protocol does not
    allow, unless it is `tolerant`. With a `key` it knows one caller, without it any key is good.
    """

    session_type: type[FakeSession] = FakeSession

    def __init__(
        self,
        *scripts: Script,
        key: str | None = None,
        host: str = "127.0.0.1",
        port: int = 0,
        tolerant: bool = False,
        record: bool = True,
    ) -> None:
        super().__init__()
        self.sessions: list[FakeSession] = []
        """In the order in which they connected; a refused handshake counts as none."""
        self.requests: list[Request] = []
        """Every handshake, refused ones included."""
        self._scripts = scripts or (Script(),)
        self._key = key
        self._address = (host, port)
        self._tolerant = tolerant
        self._record = record
        self._server: Server | None = None

    async def __aenter__(self) -> Self:
        host, port = self._address
        self._server = await serve(
            self._serve,
            host,
            port,
            process_request=self._admit,
            compression=None,
            max_size=None,
            ping_interval=None,
            close_timeout=1,
        )
        self._address = (host, next(iter(self._server.sockets)).getsockname()[1])
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        assert self._server is not None
        for connection in list(self._server.connections):
            connection.transport.abort()
        self._server.close()
        await self._server.wait_closed()
        if kind is None and not self._tolerant:
            assert self.problems == []

    @property
    def url(self) -> str:
        """The base URL, as in OPENAI_BASE_URL."""
        host, port = self._address
        return f"http://{host}:{port}/v1"

    @property
    def problems(self) -> list[Problem]:
        return [problem for session in self.sessions for problem in session.problems]

    async def session(self, number: int = 0) -> FakeSession:
        """The n-th session, as soon as it is there."""
        await self.until(lambda: len(self.sessions) > number)
        return self.sessions[number]

    def _admit(self, connection: ServerConnection, request: Request) -> Response | None:
        self.requests.append(request)
        script = self._script(len(self.requests) - 1)
        refusal = script.refuse or _refusal(request, self._key)
        self.tell()
        if refusal is None:
            return None
        response = connection.respond(HTTPStatus(refusal), "refused\n")
        if script.retry_after is not None:
            response.headers["Retry-After"] = str(script.retry_after)
        return response

    def _script(self, number: int) -> Script:
        return self._scripts[min(number, len(self._scripts) - 1)]

    async def _serve(self, connection: ServerConnection) -> None:
        assert connection.request is not None
        model = parse_qs(urlsplit(connection.request.path).query)["model"][0]
        handshake = [request is connection.request for request in self.requests].index(True)
        script = self._script(handshake)
        headers = dict(connection.request.headers.raw_items())
        number = len(self.sessions)
        session = self.session_type(number, model, script, headers, record=self._record)
        self.sessions.append(session)
        self.tell()
        mouth = asyncio.create_task(_speak(connection, session), name=f"fake session {number}")
        session.open()
        try:
            async for message in connection:
                session.hear(message)
        except ConnectionClosed:
            pass
        finally:
            mouth.cancel()
            session.end(connection.close_code)
            self.tell()


async def _speak(connection: ServerConnection, session: FakeSession) -> None:
    while True:
        match await session.outbox.get():
            case str() as text:
                try:
                    await connection.send(text)
                except ConnectionClosed:
                    return
            case Drop(code=1006):
                connection.transport.abort()
                return
            case Drop(code, reason):
                await connection.close(code, reason)
                return
            case Stall():
                connection.transport.pause_reading()
                return


def _refusal(request: Request, key: str | None) -> int | None:
    address = urlsplit(request.path)
    shown = request.headers.get("Authorization", "").removeprefix("Bearer ")
    shown = shown or request.headers.get("api-key", "")
    if not shown or key not in {None, shown}:
        return 401
    if address.path not in _PATHS or "OpenAI-Beta" in request.headers:
        return 404
    return None if "model" in parse_qs(address.query) else 400
