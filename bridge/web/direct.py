"""
A carrier's WebSocket under our own server, without a queue, a task or a wait.

Rule: the handshake is ASGI's. From then on an endpoint that asks for it is handed each
message in the loop turn in which its bytes arrive, and writes into the transport. What is
unusual on a WebSocket (fragments, pings, closing, whatever no client may send) is uvicorn's
and the library's to judge, as it would be without us.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from contextlib import suppress
from types import TracebackType
from typing import Any, Self

from starlette.websockets import WebSocket
from uvicorn.protocols.websockets.websockets_sansio_impl import WebSocketsSansIOProtocol
from websockets.protocol import State

from bridge.nobody import nobody
from bridge.web.hearing import ABNORMAL, FAULT, NORMAL, Hearing, MediaSocket, Message
from bridge.web.socket import AsgiSocket
from bridge.wire.framing import FrameReader, audio_frame, text_frame, usual_texts

__all__ = ["EXTENSION", "DirectProtocol", "DirectSocket", "media_socket"]

EXTENSION = "bridge.direct"  # among `extensions` of an ASGI scope
GOODBYE_SECONDS = 5.0  # in which the peer may take what was written, and answer our close


def media_socket(websocket: WebSocket) -> MediaSocket:
    """An accepted WebSocket: direct where the server has our protocol, else plain ASGI."""
    offered = websocket.scope.get("extensions", {}).get(EXTENSION)
    return AsgiSocket(websocket) if offered is None else DirectSocket(offered["connection"])


class DirectProtocol(WebSocketsSansIOProtocol):
    """
    One WebSocket of uvicorn's, whose messages may be had directly (`ws=DirectProtocol`).

    It is an ASGI extension: an endpoint finds the connection in its scope, and either calls
    `direct` once it has accepted, or receives and sends as under any other server.
    """

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        self._arrivals = 0

    async def run_asgi(self) -> None:
        extensions = self.scope.setdefault("extensions", {})
        extensions[EXTENSION] = {"connection": self}
        try:
            await super().run_asgi()
        finally:
            del extensions[EXTENSION]

    def direct(self, protocol: asyncio.Protocol, tell: Callable[[Any], None]) -> None:
        """
        From now on `protocol` is the transport's protocol, and gives us what it does not read
        itself, in whole frames; `tell` is called with the ASGI events of that and of the end.
        ASGI's `receive` tells nothing any more.
        """
        self.transport.set_write_buffer_limits(high=0)  # what is written leaves at once
        queued, self.queue = self.queue, _Told(tell)
        # Who spoke before the handshake was over may be in the middle of a frame.
        if self._arrivals == 1:
            self.transport.set_protocol(protocol)
        while not queued.empty():
            self.queue.put_nowait(queued.get_nowait())
        self._read_on()

    def data_received(self, data: bytes) -> None:
        self._arrivals += 1
        super().data_received(data)
        self._read_on()

    def say_goodbye(self, code: int) -> None:
        """Close it; who does not answer that in time is cut off."""
        if self.conn.state is State.OPEN and not self.transport.is_closing():
            self.conn.send_close(code)
            self.transport.write(b"".join(self.conn.data_to_send()))
            self.close_sent = True
            self.close_timer = self.loop.call_later(GOODBYE_SECONDS, self.transport.abort)

    def _read_on(self) -> None:
        """Uvicorn reads nothing more until a message is received; ours are, by now."""
        ours = isinstance(self.queue, _Told) and not self.transport.is_closing()
        if self.read_paused and ours:
            self.read_paused = False
            self.transport.resume_reading()


class DirectSocket(asyncio.Protocol):
    """A `MediaSocket` on a connection of our own server's, and between that and its transport."""

    __slots__ = (
        "_connection",
        "_hearing",
        "_max_size",
        "_open",
        "_over",
        "_reader",
        "_transport",
        "_whole",
        "clogged",
    )

    def __init__(self, connection: DirectProtocol) -> None:
        self._connection = connection
        self._transport = connection.transport
        self._hearing = Hearing(lambda: self.close(FAULT))
        self._max_size = connection.config.ws_max_size
        self._reader = FrameReader(self._max_size)
        self._whole = True  # whether a frame begins with the next byte, and may be usual
        self._open = True
        self._over = asyncio.Event()
        self.clogged = False

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close(NORMAL)

    def buffered(self) -> int:
        return self._transport.get_write_buffer_size()

    def attach(self, hear: Callable[[Message], None], over: Callable[[int], None]) -> None:
        first = not self._hearing.attached
        self._hearing.attach(hear, over)
        if first:
            self._connection.direct(self, self._tell)

    def write(self, text: str) -> None:
        self._send(text_frame(text.encode()))

    def write_audio(self, before: bytes, audio: bytes, behind: bytes, then: str) -> None:
        frame = audio_frame(before, audio, behind, b"")
        self._send(frame + text_frame(then.encode()) if then else frame)

    def close(self, code: int) -> None:
        self._open = self._whole = False
        self._connection.say_goodbye(code)

    async def ended(self, seconds: float) -> None:
        with suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                await self._over.wait()

    # What the transport tells us

    def data_received(self, data: bytes) -> None:
        # As almost always: text messages, and nothing else.
        if self._whole and (texts := usual_texts(data, self._max_size, True)) is not None:
            for text in texts:
                if self._open:
                    self._hearing.message(text)
            return
        for found in self._reader.feed(data):
            if isinstance(found, bytes):
                self._connection.data_received(found)
            elif self._open:
                self._hearing.message(found)
        self._whole = self._reader.whole and self._open

    def pause_writing(self) -> None:
        self.clogged = True
        self._connection.pause_writing()

    def resume_writing(self) -> None:
        self.clogged = False
        self._connection.resume_writing()

    def eof_received(self) -> None:
        self._connection.eof_received()

    def connection_lost(self, exc: Exception | None) -> None:
        self._connection.connection_lost(exc)

    # How

    def _send(self, frames: bytes) -> None:
        if self._open and not self._transport.is_closing():
            self._transport.write(frames)

    def _tell(self, event: Any) -> None:
        if event["type"] == "websocket.disconnect":
            self._open = self._whole = False
            self._over.set()
            self._hearing.over(event.get("code") or ABNORMAL)
        elif event["type"] == "websocket.receive":
            text = event.get("text")
            self._hearing.message(event["bytes"] if text is None else text)


class _Told(asyncio.Queue[Any]):
    """Uvicorn's queue for what an application receives, with the application until its end."""

    def __init__(self, tell: Callable[[Any], None]) -> None:
        super().__init__()
        self._tell = tell

    def put_nowait(self, item: Any) -> None:
        tell = self._tell
        if item["type"] == "websocket.disconnect":
            self._tell = nobody
        tell(item)
