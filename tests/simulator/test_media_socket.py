"""The carrier's WebSocket, against a server that writes its bytes by hand."""

from __future__ import annotations

import asyncio
import base64
import hashlib
from asyncio import StreamReader as Reader
from asyncio import StreamWriter as Writer
from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest

from bridge.simulator.media_socket import Closed, HandshakeFailed, MediaSocket, open_media_socket
from bridge.simulator.network import Network
from tests.simulator.servers import SmallBridge, raw_server, serving

URL = "wss://bridge.example/media"
TEXT, BINARY, CLOSE, PING, PONG, FIN = 0x1, 0x2, 0x8, 0x9, 0xA, 0x80
TLS = Path(__file__).parent / "tls"

Handler = Callable[[Reader, Writer], Awaitable[None]]


class Ears:
    """A listener that remembers, and can be waited for."""

    def __init__(self) -> None:
        self.texts: list[str] = []
        self.binaries: list[int] = []
        self.ends: list[Closed] = []
        self.over = asyncio.Event()

    def text(self, message: str) -> None:
        self.texts.append(message)

    def binary(self, size: int) -> None:
        self.binaries.append(size)

    def closed(self, how: Closed) -> None:
        self.ends.append(how)
        self.over.set()


def frame(opcode: int, payload: bytes = b"") -> bytes:
    """An unmasked frame of less than 126 bytes."""
    return bytes((opcode, len(payload))) + payload


def switching(request: bytes) -> bytes:
    """The answer 101 to a handshake."""
    lines = request.decode().split("\r\n")
    key = next(line for line in lines if line.startswith("Sec-WebSocket-Key:")).split()[1]
    magic = key.encode() + b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11"
    accept = base64.b64encode(hashlib.sha1(magic).digest())
    head = b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
    return head + b"Sec-WebSocket-Accept: " + accept + b"\r\n\r\n"


def sends(*frames: bytes) -> Handler:
    """Accept the socket, send these bytes, and read to the end."""

    async def serve(reader: Reader, writer: Writer) -> None:
        request = await reader.readuntil(b"\r\n\r\n")
        writer.write(switching(request) + b"".join(frames))
        await reader.read()

    return serve


async def opened(origins: dict[str, str], ears: Ears) -> MediaSocket:
    return await open_media_socket(Network(origins), URL, {"X-Twilio-Signature": "s"}, ears)


async def test_shakes_hands_as_twilio_does() -> None:
    """Its own user agent and signature; no subprotocol, no extension, no origin."""
    requests: list[str] = []

    async def serve(reader: Reader, writer: Writer) -> None:
        request = await reader.readuntil(b"\r\n\r\n")
        requests.append(request.decode().lower())
        writer.write(switching(request))
        await reader.read()

    async with raw_server(serve) as origins:
        socket = await opened(origins, Ears())
        socket.abort()

    assert requests[0].startswith("get /media http/1.1\r\nhost: bridge.example\r\n")
    assert "user-agent: twilio.tmews/1.0\r\n" in requests[0]
    assert "x-twilio-signature: s\r\n" in requests[0]
    assert not any(word in requests[0] for word in ("extensions", "protocol:", "origin:"))


async def test_tells_messages_as_they_come() -> None:
    """Text and binary, in fragments or whole; pings are answered and not told."""
    received: list[bytes] = []

    async def serve(reader: Reader, writer: Writer) -> None:
        request = await reader.readuntil(b"\r\n\r\n")
        pieces = frame(TEXT, b"in ") + frame(0, b"three ") + frame(FIN, b"pieces")
        writer.write(switching(request) + frame(FIN | TEXT, b"whole") + pieces)
        writer.write(frame(FIN | PING, b"?") + frame(FIN | BINARY, b"12345"))
        writer.write(frame(FIN | TEXT, b"\xff") + frame(FIN | CLOSE, b"\x03\xe8"))
        received.append(await reader.read())

    ears = Ears()
    async with raw_server(serve) as origins:
        await opened(origins, ears)
        await ears.over.wait()

    assert ears.texts == ["whole", "in three pieces", "\ufffd"]
    assert ears.binaries == [5]
    assert ears.ends == [Closed(31921, "the bridge closed it (1000)")]
    assert received[0][0] == FIN | PONG


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        (b"HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\n\r\n", "answered with 403"),
        (b"HTTP/1.1 307 Elsewhere\r\nLocation: /media/\r\nContent-Length: 0\r\n\r\n", "with 307"),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n", "with 200"),
        (b"HTTP/1.1 101 Hm\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\n", "failed"),
        (b"SSH-2.0-OpenSSH\r\n\r\n", "failed"),
    ],
)
async def test_anything_but_101_is_a_refusal(answer: bytes, words: str) -> None:
    """Redirects too: Twilio does not follow them here."""

    async def serve(reader: Reader, writer: Writer) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(answer)
        await reader.read()

    async with raw_server(serve) as origins:
        with pytest.raises(HandshakeFailed, match=words) as failed:
            await opened(origins, Ears())

    assert failed.value.code == 31920


async def test_a_handshake_that_breaks() -> None:
    """The server goes before it has answered."""

    async def serve(reader: Reader, writer: Writer) -> None:
        await reader.readuntil(b"\r\n\r\n")

    ears = Ears()
    async with raw_server(serve) as origins:
        with pytest.raises(HandshakeFailed):
            await opened(origins, ears)

    assert ears.ends == []


async def test_nobody_there() -> None:
    """A refused connection is a failure of its own."""
    async with raw_server(sends()) as origins:
        pass

    with pytest.raises(HandshakeFailed) as failed:
        await opened(origins, Ears())

    assert failed.value.code == 31902


async def test_tls_that_is_not_trusted() -> None:
    """A private certificate is what many first deployments have."""
    bridge = SmallBridge({})
    async with serving(bridge, certificate=TLS / "certificate.pem", key=TLS / "key.pem"):
        with pytest.raises(HandshakeFailed) as failed:
            await opened(bridge.origins, Ears())

    assert failed.value.code == 31910


async def test_an_abrupt_end_is_told_once() -> None:
    """No closing handshake: the connection broke."""

    async def serve(reader: Reader, writer: Writer) -> None:
        request = await reader.readuntil(b"\r\n\r\n")
        writer.write(switching(request) + frame(FIN | TEXT, b"last words"))
        await writer.drain()

    ears = Ears()
    async with raw_server(serve) as origins:
        socket = await opened(origins, ears)
        await ears.over.wait()
        socket.send("into the void")

    assert ears.texts == ["last words"]
    assert ears.ends == [Closed(31903, "the connection broke", broken=True)]


@pytest.mark.parametrize(
    "nonsense",
    [
        frame(0xF0 | TEXT, b"reserved bits"),
        frame(FIN | 0x5, b"no such opcode"),
        frame(FIN, b"a continuation of nothing"),
        frame(PING, b"a ping in pieces"),
        bytes((FIN | TEXT, 0x80 | 1, 0, 0, 0, 0, 0)),  # servers must not mask
    ],
)
async def test_broken_frames_end_the_stream(nonsense: bytes) -> None:
    """Twilio has a code for it, and does not go on."""
    ears = Ears()
    async with raw_server(sends(nonsense)) as origins:
        await opened(origins, ears)
        await ears.over.wait()

    assert [(how.code, how.broken) for how in ears.ends] == [(31924, True)]


async def test_we_close_in_good_order() -> None:
    """Our close frame, then theirs, then the end."""
    received: list[bytes] = []

    async def serve(reader: Reader, writer: Writer) -> None:
        writer.write(switching(await reader.readuntil(b"\r\n\r\n")))
        received.append(await reader.readexactly(8))
        writer.write(frame(FIN | CLOSE, b"\x03\xe8"))
        await reader.read()

    ears = Ears()
    async with raw_server(serve) as origins:
        socket = await opened(origins, ears)
        await socket.close()

    assert received[0][0] == FIN | CLOSE
    assert ears.ends == [Closed(0, "closed")]


async def test_an_abort_leaves_nothing_behind() -> None:
    """The server sees the end of the connection, and no close frame."""
    received: list[bytes] = []

    async def serve(reader: Reader, writer: Writer) -> None:
        writer.write(switching(await reader.readuntil(b"\r\n\r\n")))
        received.append(await reader.read())

    ears = Ears()
    async with raw_server(serve) as origins:
        socket = await opened(origins, ears)
        socket.abort()
        await ears.over.wait()

    assert received == [b""]
    assert ears.ends[0].broken


async def test_a_server_that_does_not_read() -> None:
    """When the buffers are full the socket says so, and recovers when they are read."""
    read = asyncio.Event()

    async def serve(reader: Reader, writer: Writer) -> None:
        writer.write(switching(await reader.readuntil(b"\r\n\r\n")))
        await read.wait()
        await reader.read()

    async with raw_server(serve) as origins:
        socket = await opened(origins, Ears())
        for _ in range(4_000):
            socket.send("x" * 10_000)
            if socket.congested:
                break
            await asyncio.sleep(0)
        was_congested = socket.congested
        read.set()
        while socket.congested:
            await asyncio.sleep(0.01)
        socket.abort()

    assert was_congested


async def test_opening_may_be_cancelled() -> None:
    """A handshake that is not answered leaves nothing behind when it is given up."""
    asked = asyncio.Event()

    async def serve(reader: Reader, writer: Writer) -> None:
        await reader.readuntil(b"\r\n\r\n")
        asked.set()
        await reader.read()

    async with raw_server(serve) as origins:
        opening = asyncio.ensure_future(opened(origins, Ears()))
        await asked.wait()
        opening.cancel()
        with pytest.raises(asyncio.CancelledError):
            await opening
