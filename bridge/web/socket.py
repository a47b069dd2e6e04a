"""
A carrier's WebSocket under any ASGI server: writing never waits.

Rule: what is written is sent in order by one task, what comes is read by another, and both
end with the socket, whatever the peer does; how much may wait is the leg's to bound.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable
from types import TracebackType
from typing import Self

from starlette.websockets import WebSocket, WebSocketDisconnect, WebSocketState

from bridge.web.hearing import ABNORMAL, FAULT, NORMAL, Hearing, Message
from bridge.wire.framing import audio_text

__all__ = ["AsgiSocket"]

GOODBYE_SECONDS = 5.0  # in which the peer may take what was written, and the close


class AsgiSocket:
    """A `MediaSocket` with the three functions that every ASGI server has."""

    def __init__(self, socket: WebSocket, *, goodbye_seconds: float = GOODBYE_SECONDS) -> None:
        self._socket = socket
        self._goodbye_seconds = goodbye_seconds
        self._hearing = Hearing(lambda: self.close(FAULT))
        self._waiting: deque[str] = deque()
        self._size = 0
        self._closing: int | None = None
        self._work = asyncio.Event()
        self._sender: asyncio.Task[None] | None = None
        self._reader: asyncio.Task[None] | None = None

    async def __aenter__(self) -> Self:
        self._sender = asyncio.create_task(self._send(), name="sender")
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        assert self._sender is not None
        self.close(NORMAL)
        tasks = [self._sender] if self._reader is None else [self._sender, self._reader]
        try:
            await asyncio.wait([self._sender], timeout=self._goodbye_seconds)
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)

    @property
    def clogged(self) -> bool:
        return bool(self._waiting)

    def buffered(self) -> int:
        return self._size

    def attach(self, hear: Callable[[Message], None], over: Callable[[int], None]) -> None:
        self._hearing.attach(hear, over)
        if self._reader is None:
            self._reader = asyncio.create_task(self._read(), name="reader")

    def write(self, text: str) -> None:
        if self._closing is None:
            self._waiting.append(text)
            self._size += len(text)
            self._work.set()

    def write_audio(self, before: bytes, audio: bytes, behind: bytes, then: str) -> None:
        self.write(audio_text(before, audio, behind).decode())
        if then:
            self.write(then)

    def close(self, code: int) -> None:
        if self._closing is None:
            self._closing = code
            self._work.set()

    async def ended(self, seconds: float) -> None:
        if self._reader is not None:
            await asyncio.wait([self._reader], timeout=seconds)

    async def _read(self) -> None:
        code = ABNORMAL
        while self._socket.client_state is WebSocketState.CONNECTED:
            message = await self._socket.receive()
            if message["type"] == "websocket.disconnect":
                code = message.get("code") or ABNORMAL
                break
            text: str | None = message.get("text")
            self._hearing.message(bytes(message.get("bytes") or b"") if text is None else text)
        self._hearing.over(code)
        self.close(NORMAL)

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
            self._closing = ABNORMAL  # the peer is gone; the reader says so
