"""
A carrier's WebSocket under any ASGI server, as a leg needs it: writing never waits.

Rule: what is written is sent in order by one task; how much may wait is the leg's to bound.
"""

from __future__ import annotations

import asyncio
from collections import deque

from starlette.websockets import WebSocket, WebSocketDisconnect, WebSocketState

__all__ = ["AsgiSocket"]

ABNORMAL = 1006  # the close code of a connection that broke without one


class AsgiSocket:
    """`write` and `close` do not wait; `receive` gives what comes, None at the end."""

    def __init__(self, socket: WebSocket) -> None:
        self._socket = socket
        self._waiting: deque[str] = deque()
        self._size = 0
        self._closing: int | None = None
        self._work = asyncio.Event()
        self.close_code = ABNORMAL

    @property
    def buffered(self) -> int:
        """Characters that wait to be sent."""
        return self._size

    def write(self, text: str) -> None:
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
        try:
            message = await self._socket.receive()
        except WebSocketDisconnect as gone:
            self.close_code = gone.code
            return None
        if message["type"] == "websocket.disconnect":
            self.close_code = message.get("code") or ABNORMAL
            return None
        text: str | None = message.get("text")
        return text if text is not None else bytes(message.get("bytes") or b"")

    async def send(self) -> None:
        """Send what is written, until the socket is closed by either side."""
        while True:
            while self._waiting:
                text = self._waiting.popleft()
                self._size -= len(text)
                try:
                    await self._socket.send_text(text)
                except (WebSocketDisconnect, RuntimeError):
                    return  # the peer is gone; `receive` says so
            if self._closing is not None:
                break
            self._work.clear()
            await self._work.wait()
        if self._socket.application_state is WebSocketState.CONNECTED:
            await self._socket.close(self._closing)
