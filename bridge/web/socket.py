"""
A carrier's WebSocket under any ASGI server, as a leg needs it: writing never waits.

Rule: what is written is sent in order by one task, and that task ends with the socket,
whatever the peer does; how much may wait is the leg's to bound.
"""

from __future__ import annotations

import asyncio
from collections import deque
from types import TracebackType
from typing import Self

from starlette.websockets import WebSocket, WebSocketDisconnect, WebSocketState

__all__ = ["AsgiSocket"]

ABNORMAL = 1006  # the close code of a connection that broke without one
NORMAL = 1000
GOODBYE_SECONDS = 5.0  # in which the peer may take what was written, and the close


class AsgiSocket:
    """
    `write` and `close` do not wait; `receive` gives what comes, None at the end.

    An asynchronous context manager around an accepted socket: it closes it.
    """

    def __init__(self, socket: WebSocket, *, goodbye_seconds: float = GOODBYE_SECONDS) -> None:
        self._socket = socket
        self._goodbye_seconds = goodbye_seconds
        self._waiting: deque[str] = deque()
        self._size = 0
        self._closing: int | None = None
        self._work = asyncio.Event()
        self._sender: asyncio.Task[None] | None = None
        self.close_code = ABNORMAL

    async def __aenter__(self) -> Self:
        self._sender = asyncio.create_task(self._send(), name="sender")
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """A peer that takes nothing does not keep the socket's owner."""
        assert self._sender is not None
        self.close(NORMAL)
        try:
            await asyncio.wait([self._sender], timeout=self._goodbye_seconds)
        finally:
            self._sender.cancel()
            await asyncio.gather(self._sender, return_exceptions=True)

    @property
    def buffered(self) -> int:
        """Characters that wait to be sent."""
        return self._size

    def write(self, text: str) -> None:
        """Send a text message; after the end, quietly nothing."""
        if self._closing is None:
            self._waiting.append(text)
            self._size += len(text)
            self._work.set()

    def close(self, code: int) -> None:
        """Close, once all that was written is sent."""
        if self._closing is None:
            self._closing = code
            self._work.set()

    async def receive(self) -> str | bytes | None:
        """The next message; None when the connection is over."""
        if self._socket.client_state is not WebSocketState.CONNECTED:
            return None
        message = await self._socket.receive()
        if message["type"] == "websocket.disconnect":
            self.close_code = message.get("code") or ABNORMAL
            return None
        text: str | None = message.get("text")
        return text if text is not None else bytes(message.get("bytes") or b"")

    async def _send(self) -> None:
        try:
            while self._waiting or self._closing is None:
                while self._waiting:
                    text = self._waiting.popleft()
                    self._size -= len(text)
                    await self._socket.send_text(text)
                self._work.clear()
                if self._closing is None:
                    await self._work.wait()
            await self._socket.close(self._closing)
        except (WebSocketDisconnect, RuntimeError):
            self._closing = ABNORMAL  # the peer is gone; `receive` says so
