"""Small workers for what a balancer does by itself: no call, no bridge, a name for an answer."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from enum import Enum

__all__ = ["Answer", "SmallWorker", "ask", "small_worker"]


class Answer(Enum):
    """What a worker does with a request."""

    NAME = "its name"
    NOTHING = "it keeps the connection and is silent, as one that hangs"
    CLOSE = "it goes away, as one that is killed"


@dataclass(slots=True)
class SmallWorker:
    """What it does may be changed while it runs."""

    name: str
    ready: bool = True
    answer: Answer = Answer.NAME
    address: str = ""
    asked: list[bytes] = field(default_factory=list)
    """Request lines and bodies, health checks left out."""

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """One connection, one request."""
        try:
            head = await reader.readuntil(b"\r\n\r\n")
            line = head.partition(b"\r\n")[0]
            length = int(head.lower().partition(b"content-length: ")[2].partition(b"\r")[0] or 0)
            body = await reader.readexactly(length)
            checks = line.split()[1] in (b"/readyz", b"/healthz")
            if not checks:
                self.asked.append(line + b"\n" + body)
            if self.answer is Answer.NOTHING:
                await reader.read()
            elif checks or self.answer is Answer.NAME:
                refused = not self.ready and b"/readyz" in line
                writer.write(_response(b"404 Not Found" if refused else b"200 OK", self.name))
        except (asyncio.IncompleteReadError, ConnectionError):
            pass
        finally:
            writer.close()


@asynccontextmanager
async def small_worker(name: str) -> AsyncIterator[SmallWorker]:
    """It serves for as long as this lasts."""
    worker = SmallWorker(name)
    server = await asyncio.start_server(worker.serve, "127.0.0.1", 0)
    worker.address = f"127.0.0.1:{server.sockets[0].getsockname()[1]}"
    try:
        yield worker
    finally:
        server.close()
        await server.wait_closed()


async def ask(port: int, request: bytes) -> tuple[int, str]:
    """
    Status and body of the answer to this, byte for byte, as soon as the connection is closed.

    0 if there is no answer. Raises TimeoutError after 20 s.
    """
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    try:
        writer.write(request)
        async with asyncio.timeout(20):
            answer = await reader.read()
    finally:
        writer.close()
    head, _, body = answer.partition(b"\r\n\r\n")
    return (int(head.split()[1]) if head else 0), body.decode()


def _response(status: bytes, name: str) -> bytes:
    head = b"HTTP/1.1 %b\r\nContent-Length: %d\r\nConnection: close\r\n\r\n"
    return head % (status, len(name)) + name.encode()
