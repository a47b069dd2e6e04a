"""
A strict Gemini Live server on this machine.

It speaks the protocol of BidiGenerateContent (Developer API and Vertex AI), refuses what
the real one refuses, hears by loudness when the caller speaks and stops, and answers by
a script. `python -m tests.fakes.gemini_live --port N` serves by hand.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import http
import itertools
import re
import ssl
import uuid
from collections.abc import Callable
from dataclasses import dataclass
from types import TracebackType
from typing import Self

from websockets.asyncio.server import Server, ServerConnection, serve
from websockets.http11 import Request, Response

from tests.fakes.gemini_script import Script
from tests.fakes.gemini_session import FakeSession

__all__ = ["FakeGemini"]

_STUDIO = re.compile(
    r"/ws/google\.ai\.generativelanguage\.v1(beta|alpha)?\.GenerativeService\.BidiGenerateContent"
)
_VERTEX = re.compile(
    r"/ws/google\.cloud\.aiplatform\.v1(beta1)?\.LlmBidiService/BidiGenerateContent"
)


@dataclass
class Memory:
    """What a handle leads back to."""

    session: FakeSession
    expired: bool = False


class FakeGemini:
    """`async with FakeGemini(script) as fake:` serves at `fake.url` until the block is left."""

    session_type: type[FakeSession] = FakeSession

    def __init__(
        self, script: Script | None = None, *, port: int = 0, tls: ssl.SSLContext | None = None
    ) -> None:
        self.script = script or Script()
        self.sessions: list[FakeSession] = []
        self.refused_requests = 0
        self.handles: dict[str, Memory] = {}
        self._numbers = itertools.count(1)
        self._port = port
        self._tls = tls
        self._server: Server | None = None
        self._arrived = asyncio.Event()

    @property
    def port(self) -> int:
        assert self._server is not None
        return int(next(iter(self._server.sockets)).getsockname()[1])

    @property
    def url(self) -> str:
        """The base URL for clients."""
        return f"https://localhost:{self.port}" if self._tls else f"http://127.0.0.1:{self.port}"

    @property
    def session(self) -> FakeSession:
        """The newest session."""
        return self.sessions[-1]

    async def until_sessions(self, count: int) -> FakeSession:
        """The newest of at least `count` sessions that are ready."""
        while sum(session.ready for session in self.sessions) < count:
            self._arrived.clear()
            await self._arrived.wait()
        return self.session

    def new_handle(self, session: FakeSession) -> str:
        handle = str(uuid.UUID(int=next(self._numbers)))
        self.handles[handle] = Memory(session)
        return handle

    def expire_handles(self) -> None:
        for memory in self.handles.values():
            memory.expired = True

    def arrived(self) -> None:
        self._arrived.set()

    async def __aenter__(self) -> Self:
        self._server = await serve(
            self._serve,
            "localhost" if self._tls else "127.0.0.1",
            self._port,
            ssl=self._tls,
            process_request=self._admit,
            ping_interval=None,
            close_timeout=0.5,
            max_size=16 * 1024 * 1024,
            compression=None,
        )
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        assert self._server is not None
        for session in self.sessions:
            session.abandon()
        self._server.close()
        await self._server.wait_closed()

    async def _serve(self, socket: ServerConnection) -> None:
        assert socket.request is not None
        vertex = _VERTEX.fullmatch(socket.request.path.partition("?")[0]) is not None
        session = self.session_type(self, socket, vertex=vertex)
        self.sessions.append(session)
        await session.run()

    def _admit(self, socket: ServerConnection, request: Request) -> Response | None:
        path = request.path.partition("?")[0]
        if self.script.refuse_http is not None:
            return self._refuse(socket, self.script.refuse_http)
        if _VERTEX.fullmatch(path):
            token = request.headers.get("Authorization", "").removeprefix("Bearer ")
            return None if token in self.script.tokens else self._refuse(socket, 401)
        return None if _STUDIO.fullmatch(path) else self._refuse(socket, 404)

    def _refuse(self, socket: ServerConnection, status: int) -> Response:
        self.refused_requests += 1
        return socket.respond(http.HTTPStatus(status), "refused\n")


async def _main(port: int, report: Callable[[str], None]) -> None:
    async with FakeGemini(port=port) as fake:
        report(f"Gemini Live, or something like it, at {fake.url} (key: test-key)")
        await asyncio.Event().wait()


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description="A strict fake of Gemini Live.")
    parser.add_argument("--port", type=int, default=8765)
    with contextlib.suppress(KeyboardInterrupt):
        asyncio.run(_main(parser.parse_args().port, print))
