"""
A provider that speaks just enough of OpenAI's Realtime protocol to be talked to, cheaply.

Rule: it answers every session's configuration with what was asked for, knows a call by
the stamp in its audio, and from then on speaks without a pause, 100 ms ten times a second.
"""

from __future__ import annotations

import argparse
import asyncio
import base64
import json
import random
import time
from array import array
from contextlib import suppress
from typing import Any, cast

import uvloop
from websockets.utils import accept_key

from bridge.audio.formats import AudioFormat
from bridge.bench import frames
from bridge.bench.orders import obey
from bridge.bench.pacer import Pacer
from bridge.bench.stamps import StampReader
from bridge.wire.openai.session import format_of

__all__ = ["Fake", "FakeSession", "delta"]

DELTA_MS = 100
_SESSION = {"type": "realtime", "id": "sess_bench", "object": "realtime.session"}
_BEGUN = json.dumps(
    {
        "type": "response.created",
        "event_id": "event_1",
        "response": {"id": "resp_bench", "object": "realtime.response", "status": "in_progress"},
    }
)


def delta(format: AudioFormat) -> bytes:
    """The frame with 100 ms of the model's voice: noise, as far from a pattern as speech."""
    audio = random.Random(1).randbytes(format.size(DELTA_MS))
    event = {
        "type": "response.output_audio.delta",
        "event_id": "event_BsSNcTxLGVxvcZ1VXpmUP",
        "response_id": "resp_bench",
        "item_id": "item_bench",
        "output_index": 0,
        "content_index": 0,
        "delta": base64.b64encode(audio).decode(),
    }
    return frames.text_frame(json.dumps(event, separators=(",", ":")).encode())


class Fake:
    """All sessions, and what they noted: microseconds of the monotonic clock."""

    def __init__(self) -> None:
        self.pacer = Pacer(DELTA_MS / 1000)
        self.speaks = True
        self.sessions: dict[int, FakeSession] = {}
        self._deltas: dict[AudioFormat, bytes] = {}
        self._news = asyncio.Event()

    def delta(self, format: AudioFormat) -> bytes:
        if format not in self._deltas:
            self._deltas[format] = delta(format)
        return self._deltas[format]

    async def listen(self, *, speaks: bool) -> None:
        """Forget every session, and speak from now on, or be silent."""
        self.speaks = speaks
        for session in list(self.sessions.values()):
            session.abort()
        self.sessions.clear()

    async def know(self, calls: int, seconds: float) -> int:
        """Wait, not longer than that, until so many have said who they are. How many have."""
        with suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                while len(self.sessions) < calls:
                    self._news.clear()
                    await self._news.wait()
        return len(self.sessions)

    def recognise(self, number: int, session: FakeSession) -> None:
        """This session is the one of call `number`."""
        self.sessions[number] = session
        self._news.set()

    async def report(self) -> dict[str, Any]:
        """What each call's session heard and said, and how late the fake itself was."""
        late, self.pacer.wheel.late_ms = self.pacer.wheel.late_ms, []
        sessions = {number: session.report() for number, session in self.sessions.items()}
        return {"sessions": sessions, "late_ms": late}


class FakeSession(asyncio.Protocol):
    """One connection."""

    def __init__(self, fake: Fake) -> None:
        self._fake = fake
        self._transport: asyncio.Transport | None = None
        self._handshake: bytearray | None = bytearray()
        self._reader = frames.FrameReader()
        self._format: AudioFormat | None = None
        self._stamp: StampReader | None = None
        self._delta = b""
        self._size = 0
        self._heard_at, self._heard = array("q"), array("q")
        self._said_at = array("q")

    def report(self) -> dict[str, Any]:
        assert self._format is not None
        return {
            "frame": self._format.size(20),
            "heard_at": self._heard_at.tolist(),
            "heard": self._heard.tolist(),
            "said_at": self._said_at.tolist(),
        }

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.Transport", transport)

    def connection_lost(self, exc: Exception | None) -> None:
        self._fake.pacer.remove(self._speak)

    def abort(self) -> None:
        if self._transport is not None:
            self._transport.abort()

    def data_received(self, data: bytes) -> None:
        if self._handshake is not None:
            self._handshake += data
            self._open(bytes(self._handshake))
            return
        for opcode, message in self._reader.feed(data):
            if opcode == frames.TEXT:
                self._take(message)
            else:
                self._control(opcode, message)

    def _control(self, opcode: int, message: bytes) -> None:
        assert self._transport is not None
        if opcode == frames.PING:
            self._transport.write(frames.pong_frame(message))
        elif opcode == frames.CLOSE:
            self._transport.write(frames.close_frame(1000))
            self._transport.close()

    def _open(self, request: bytes) -> None:
        if b"\r\n\r\n" not in request or self._transport is None:
            return
        self._handshake = None
        key = frames.accepted(request)
        if key is None:
            self._transport.abort()
            return
        self._transport.write(
            b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
            b"Sec-WebSocket-Accept: " + accept_key(key).encode() + b"\r\n\r\n"
        )
        self._say({"type": "session.created", "event_id": "event_0", "session": _SESSION})

    def _take(self, message: bytes) -> None:
        audio = frames.base64_of(message, b'"audio"') if b"append" in message[:60] else None
        if audio is not None:
            self._hear(audio)
            return
        event = json.loads(message)
        if event.get("type") == "session.update":
            self._format = format_of(event["session"], "output")
            self._stamp = StampReader(format_of(event["session"], "input"))
            self._delta = self._fake.delta(self._format)
            session = {**_SESSION, **event["session"]}
            self._say({"type": "session.updated", "event_id": "event_2", "session": session})

    def _hear(self, words: bytes) -> None:
        self._size += len(words) * 3 // 4 - words.endswith(b"=") - words.endswith(b"==")
        self._heard_at.append(time.monotonic_ns() // 1000)
        self._heard.append(self._size)
        if self._stamp is not None:
            number = self._stamp.feed(base64.b64decode(words))
            if number is not None:
                self._begin(number)

    def _begin(self, number: int) -> None:
        self._stamp = None
        self._fake.recognise(number, self)
        if self._fake.speaks and self._transport is not None:
            self._transport.write(frames.text_frame(_BEGUN.encode()))
            self._fake.pacer.add(self._speak)

    def _speak(self) -> None:
        assert self._transport is not None
        self._said_at.append(time.monotonic_ns() // 1000)
        self._transport.write(self._delta)

    def _say(self, event: dict[str, Any]) -> None:
        if self._transport is not None:
            self._transport.write(frames.text_frame(json.dumps(event).encode()))


async def _main(port: int) -> None:
    fake = Fake()
    loop = asyncio.get_running_loop()
    server = await loop.create_server(lambda: FakeSession(fake), "127.0.0.1", port)
    async with server:
        await obey({"listen": fake.listen, "know": fake.know, "report": fake.report})


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("--port", type=int, required=True)
    uvloop.run(_main(parser.parse_args().port))
