"""The other ends of a provider's socket: an ordinary one, and all kinds of nasty ones."""

from __future__ import annotations

import asyncio
import base64
import hashlib
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any

from websockets.asyncio.server import ServerConnection, serve

from bridge.providers.socket import ProviderSocket

__all__ = ["Ear", "accept", "peer", "raw_server"]

_GUID = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11"  # RFC 6455 1.3

Talk = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


class Ear:
    """Remembers what a socket told, and lets a test wait for the next thing."""

    def __init__(self) -> None:
        self.messages: list[str | bytes] = []
        self.closes: list[tuple[int, str]] = []
        self.closed = asyncio.Event()
        self._news = asyncio.Event()

    def on_message(self, message: str | bytes) -> None:
        self.messages.append(message)
        self._news.set()

    def on_close(self, code: int, reason: str) -> None:
        self.closes.append((code, reason))
        self.closed.set()

    async def heard(self, count: int) -> list[str | bytes]:
        while len(self.messages) < count:
            self._news.clear()
            await self._news.wait()
        return self.messages

    async def dial(
        self,
        url: str,
        *,
        open_timeout: float = 10,
        ping_interval: float | None = None,
        ping_timeout: float | None = None,
    ) -> ProviderSocket:
        return await ProviderSocket.connect(
            url,
            on_message=self.on_message,
            on_close=self.on_close,
            open_timeout=open_timeout,
            ping_interval=ping_interval,
            ping_timeout=ping_timeout,
        )


@asynccontextmanager
async def peer(
    talk: Callable[[ServerConnection], Any], *, tls: ssl.SSLContext | None = None
) -> AsyncIterator[str]:
    """An ordinary WebSocket server that talks as told; yields its URL."""
    async with serve(talk, "127.0.0.1", 0, ssl=tls) as server:
        port = next(iter(server.sockets)).getsockname()[1]
        yield f"wss://localhost:{port}/" if tls else f"ws://127.0.0.1:{port}/"


@asynccontextmanager
async def raw_server(talk: Talk) -> AsyncIterator[str]:
    """A TCP server that does to each connection what `talk` says; yields its ws:// URL."""
    talks: set[asyncio.Task[None]] = set()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        talks.add(task)
        try:
            await talk(reader, writer)
        except (ConnectionError, asyncio.IncompleteReadError, asyncio.CancelledError):
            pass
        finally:
            talks.discard(task)
            writer.transport.abort()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    try:
        yield f"ws://127.0.0.1:{server.sockets[0].getsockname()[1]}/path?key=secret"
    finally:
        server.close()
        for task in list(talks):
            task.cancel()
        await asyncio.gather(*talks, return_exceptions=True)
        await server.wait_closed()


async def accept(
    reader: asyncio.StreamReader,
    writer: asyncio.StreamWriter,
    *,
    more: bytes = b"",
    at_once: int | None = None,
) -> None:
    """Answer the handshake by hand, with `more` bytes in the same segment, or `at_once` in each."""
    request = (await reader.readuntil(b"\r\n\r\n")).decode()
    lines = dict(line.split(": ", 1) for line in request.splitlines()[1:] if line)
    digest = hashlib.sha1((lines["Sec-WebSocket-Key"] + _GUID).encode()).digest()
    said = (
        b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
        + b"Sec-WebSocket-Accept: "
        + base64.b64encode(digest)
        + b"\r\n\r\n"
        + more
    )
    for begin in range(0, len(said), at_once or len(said)):
        writer.write(said[begin : begin + (at_once or len(said))])
