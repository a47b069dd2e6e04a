"""
The leanest relay that this language allows, for comparison: the floor.

Rule: two protocols on two transports, and slices of bytes between them. No JSON is read,
no task woken and no object made but the frame that goes out; nothing is checked.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
from typing import cast
from urllib.parse import urlsplit

import uvloop
from websockets.utils import accept_key

from bridge.bench import frames
from bridge.bench.plain import SESSION

__all__ = ["CallerSide", "ModelSide", "serve"]

_SID = b'"streamSid"'


class _Side(asyncio.Protocol):
    """A WebSocket without its handshake."""

    def __init__(self) -> None:
        self.transport: asyncio.Transport | None = None
        self._head: bytes | None = b""
        self._reader = frames.FrameReader()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = cast("asyncio.Transport", transport)

    def data_received(self, data: bytes) -> None:
        if self._head is not None:
            head, end, data = (self._head + data).partition(b"\r\n\r\n")
            self._head = None if end else head
            if not end:
                return
            self.open(head + end)
        for opcode, message in self._reader.feed(data):
            if opcode == frames.TEXT:
                self.take(message)

    def open(self, head: bytes) -> None:
        """The peer's half of the handshake is here."""

    def take(self, message: bytes) -> None:
        """A text message is here."""


class CallerSide(_Side):
    """The carrier's socket. It dials the model when the stream starts."""

    def __init__(self, host: str, port: int) -> None:
        super().__init__()
        self._host, self._port = host, port
        self._model: ModelSide | None = None
        self._dialling: asyncio.Task[None] | None = None

    def open(self, head: bytes) -> None:
        assert self.transport is not None
        key = frames.accepted(head) or ""
        self.transport.write(
            b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
            b"Sec-WebSocket-Accept: " + accept_key(key).encode() + b"\r\n\r\n"
        )

    def take(self, message: bytes) -> None:
        audio = frames.base64_of(message, b'"payload"')
        if audio is not None and self._model is not None:
            self._model.hear(audio)
        elif b'"start"' in message:
            sid = frames.base64_of(message, _SID) or b""
            self._model = ModelSide(self, sid)
            self._dialling = asyncio.create_task(self._dial(self._model))
        elif b'"stop"' in message and self.transport is not None:
            self.transport.close()

    def connection_lost(self, exc: Exception | None) -> None:
        if self._model is not None and self._model.transport is not None:
            self._model.transport.close()

    async def _dial(self, model: ModelSide) -> None:
        loop = asyncio.get_running_loop()
        await loop.create_connection(lambda: model, self._host, self._port)


class ModelSide(_Side):
    """The provider's socket. What the caller says before it is open waits."""

    def __init__(self, caller: CallerSide, stream_sid: bytes) -> None:
        super().__init__()
        self._caller = caller
        self._before = b'{"event":"media","streamSid":"' + stream_sid + b'","media":{"payload":"'
        self._waiting: list[bytes] | None = []

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        super().connection_made(transport)
        assert self.transport is not None
        self.transport.write(
            b"GET /v1/realtime HTTP/1.1\r\nHost: provider\r\nUpgrade: websocket\r\n"
            b"Connection: Upgrade\r\nSec-WebSocket-Version: 13\r\n"
            b"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"
        )

    def open(self, head: bytes) -> None:
        waiting, self._waiting = self._waiting or [], None
        self._send(json.dumps(SESSION).encode())
        for audio in waiting:
            self.hear(audio)

    def hear(self, audio: bytes) -> None:
        """Base64 of the caller's."""
        if self._waiting is not None:
            self._waiting.append(audio)
        else:
            self._send(b'{"type":"input_audio_buffer.append","audio":"' + audio + b'"}')

    def take(self, message: bytes) -> None:
        if message.startswith(b'{"type":"response.output_audio.delta"'):
            audio = frames.base64_of(message, b'"delta"')
            assert self._caller.transport is not None
            self._caller.transport.write(frames.text_frame(self._before + (audio or b"") + b'"}}'))

    def _send(self, message: bytes) -> None:
        assert self.transport is not None
        self.transport.write(frames.text_frame(message, masked=True, key=os.urandom(4)))


async def serve(port: int, provider: str) -> None:
    """Relay calls at `port` of this machine until cancelled."""
    parts = urlsplit(provider)
    host, to = parts.hostname or "", parts.port or 80
    loop = asyncio.get_running_loop()
    server = await loop.create_server(lambda: CallerSide(host, to), "127.0.0.1", port)
    async with server:
        await server.serve_forever()


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--provider", required=True)
    args = parser.parse_args()
    uvloop.run(serve(args.port, args.provider))
