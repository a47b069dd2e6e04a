"""
A media stream's socket under a real server: ours, where messages come directly, and any other.

The first half holds for both kinds alike, the second for ours alone.
"""

from __future__ import annotations

import asyncio
import logging
import socket
import struct
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest
import uvicorn
from starlette.applications import Starlette
from starlette.routing import Mount, WebSocketRoute
from starlette.websockets import WebSocket
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import InvalidStatus
from websockets.frames import Frame, Opcode
from websockets.utils import apply_mask

from bridge.telemetry.logs import current_call, in_call
from bridge.web.direct import DirectProtocol, DirectSocket, media_socket
from bridge.web.hearing import MediaSocket, Message
from bridge.web.socket import AsgiSocket
from tests.journeys.hand import closing_code
from tests.wiring.parts import until

MAX_SIZE = 1_000
KINDS = {"direct": DirectProtocol, "plain": "websockets-sansio"}
KEY = b"\x11\x22\x33\x44"


class Endpoint:
    """A media stream's endpoint. It closes, with `code`, when it is told to."""

    def __init__(self) -> None:
        self.heard: list[Message] = []
        self.contexts: list[str] = []
        self.over: int | None = None
        self.code = 1000
        self.enough = asyncio.Event()
        self.left = asyncio.Event()
        self.breaks = False
        self.echoes = False
        self.refuses = False
        self.may_accept = asyncio.Event()
        self.may_accept.set()
        self.socket: MediaSocket

    async def __call__(self, websocket: WebSocket) -> None:
        if self.refuses:
            await websocket.close()
            return
        await self.may_accept.wait()
        await websocket.accept()
        async with media_socket(websocket) as self.socket:
            with in_call("CA1"):
                self.socket.attach(self.hear, self.end)
            await self.enough.wait()
            self.socket.close(self.code)
            await self.socket.ended(2.0)
        self.left.set()

    async def accepted(self) -> MediaSocket:
        await until(lambda: hasattr(self, "socket"))
        return self.socket

    def hear(self, message: Message) -> None:
        self.heard.append(message)
        self.contexts.append(current_call())
        if self.breaks:
            raise ValueError("a bug")
        if self.echoes and isinstance(message, str):
            self.socket.write(message)
            self.socket.write("again")

    def end(self, code: int) -> None:
        assert self.over is None
        self.over = code
        self.enough.set()


class Running:
    """A server with one such endpoint."""

    def __init__(self, server: uvicorn.Server, port: int) -> None:
        self.endpoint = Endpoint()
        self.server = server
        self.port = port

    async def open(self) -> ClientConnection:
        url = f"ws://127.0.0.1:{self.port}/inside/media"
        return await connect(url, compression=None, proxy=None, ping_interval=None)


@asynccontextmanager
async def running(kind: str, **options: Any) -> AsyncIterator[Running]:
    """Mounted below a path, as in somebody's application."""

    async def media(websocket: WebSocket) -> None:
        await here.endpoint(websocket)

    app = Starlette(routes=[Mount("/inside", routes=[WebSocketRoute("/media", media)])])
    config = uvicorn.Config(
        app,
        log_config=None,
        ws=KINDS[kind],  # type: ignore[arg-type]
        **{"ws_max_size": MAX_SIZE, "ws_per_message_deflate": False, **options},
    )
    server = uvicorn.Server(config)
    with socket.create_server(("127.0.0.1", 0)) as listener:
        here = Running(server, listener.getsockname()[1])
        serving = asyncio.create_task(server.serve(sockets=[listener]))
        await until(lambda: server.started)
        try:
            yield here
        finally:
            server.should_exit = True
            await serving


@pytest.fixture(params=list(KINDS))
def kind(request: pytest.FixtureRequest) -> str:
    return str(request.param)


def sent(first: int, body: bytes, *, masked: bool = True, length: int | None = None) -> bytes:
    """A short frame as a client sends it, with whatever is wrong with it."""
    size = len(body) if length is None else length
    if not masked:
        return bytes([first, size]) + body
    head = bytes([first, 0x80 | size]) if size < 126 else struct.pack(">BBH", first, 0xFE, size)
    return head + KEY + apply_mask(body, KEY)


# Both kinds


async def test_the_server_decides_which_it_is() -> None:
    found = []
    for kind in KINDS:
        async with running(kind) as here, await here.open():
            found.append(type(await here.endpoint.accepted()))

    assert found == [DirectSocket, AsgiSocket]


async def test_messages_come_in_order_and_in_the_listeners_context(kind: str) -> None:
    """Whole, however they were sent: texts, binary ones and fragments."""
    async with running(kind) as here, await here.open() as client:
        await client.send("one")
        await client.send(b"two")
        await client.send(["thr", "ee"])
        await client.send("")
        await client.send("four " * 150)
        await until(lambda: len(here.endpoint.heard) == 5)

    assert here.endpoint.heard == ["one", b"two", "three", "", "four " * 150]
    assert set(here.endpoint.contexts) == {"CA1"}


async def test_a_whole_burst_is_heard(kind: str) -> None:
    """What arrives in one piece, and what arrives byte by byte."""
    async with running(kind) as here, await here.open() as client:
        client.transport.write(b"".join(sent(0x81, b"%d" % n) for n in range(500)))
        for byte in sent(0x81, b"last"):
            client.transport.write(bytes([byte]))
            await asyncio.sleep(0.001)
        await until(lambda: len(here.endpoint.heard) == 501)

    assert here.endpoint.heard == [*map(str, range(500)), "last"]


async def test_answers_are_written_where_the_message_is_heard(kind: str) -> None:
    async with running(kind) as here, await here.open() as client:
        here.endpoint.echoes = True
        text = "é" * 300
        await client.send(text)

        assert [await client.recv(), await client.recv()] == [text, "again"]


async def test_the_endpoint_closes(kind: str) -> None:
    """Once all that was written is sent; what is written later is not."""
    async with running(kind) as here, await here.open() as client:
        carrier = await here.endpoint.accepted()
        carrier.write("goodbye")
        carrier.close(1008)
        carrier.close(1011)
        carrier.write("never")
        here.endpoint.enough.set()

        assert await client.recv() == "goodbye"
        assert await closing_code(client) == 1008
        await asyncio.wait_for(here.endpoint.left.wait(), 2)


async def test_the_peer_closes(kind: str) -> None:
    """The code is told, once."""
    async with running(kind) as here:
        for code in (1000, 1001, 4000):
            here.endpoint = Endpoint()
            client = await here.open()
            await client.send("one")
            await client.close(code)
            await asyncio.wait_for(here.endpoint.left.wait(), 2)

            assert here.endpoint.over == code
            here.endpoint.socket.write("nobody is there")
            here.endpoint.socket.close(1000)


async def test_the_connection_breaks(kind: str) -> None:
    async with running(kind) as here:
        client = await here.open()
        await client.send("one")
        await until(lambda: here.endpoint.heard)
        client.transport.abort()
        await asyncio.wait_for(here.endpoint.left.wait(), 2)

        assert here.endpoint.over in (1005, 1006)


OFFENCES = {
    "too long": (sent(0x81, b"x" * (MAX_SIZE + 1)), 1009),
    "too long in its length alone": (struct.pack(">BBQ", 0x81, 0xFF, 1 << 40), 1009),
    "too long in fragments": (sent(0x01, b"x" * 600) + sent(0x80, b"x" * 600), 1009),
    "not masked": (sent(0x81, b"hello", masked=False), 1002),
    "a reserved bit": (sent(0xC1, b"hello"), 1002),
    "a reserved opcode": (sent(0x83, b"hello"), 1002),
    "a continuation of nothing": (sent(0x80, b"hello"), 1002),
    "a message within another": (sent(0x01, b"he") + sent(0x81, b"llo"), 1002),
    "a ping in fragments": (sent(0x09, b"ping"), 1002),
    "a long ping": (sent(0x89, b"p" * 126), 1002),
    "a close code of nobody": (sent(0x88, struct.pack(">H", 999)), 1002),
    "not UTF-8": (sent(0x81, b"\xff\xfe"), 1007),
    "not UTF-8, in fragments": (sent(0x01, b"\xc3") + sent(0x80, b"("), 1007),
}


async def test_offences(kind: str) -> None:
    """The connection is closed with the code that RFC 6455 has for it; nothing of it is heard."""
    async with running(kind) as here:
        for offence, (frames, code) in OFFENCES.items():
            here.endpoint = Endpoint()
            async with await here.open() as client:
                await client.send("before")
                await until(lambda: here.endpoint.heard)
                client.transport.write(frames + sent(0x81, b"behind"))

                assert await closing_code(client) == code, offence
                await asyncio.wait_for(here.endpoint.left.wait(), 2)
                assert (here.endpoint.heard, here.endpoint.over) == (["before"], code), offence


async def test_pings_are_answered_also_within_a_message(kind: str) -> None:
    async with running(kind) as here, await here.open() as client:
        client.transport.write(sent(0x01, b"he") + sent(0x89, b""))
        await (await client.ping(b"are you there?"))
        client.transport.write(sent(0x80, b"llo"))
        await until(lambda: here.endpoint.heard)

    assert here.endpoint.heard == ["hello"]


async def test_a_peer_that_answers_no_ping_is_gone(kind: str) -> None:
    """Its machine may have vanished without a word."""
    options = {"ws_ping_interval": 0.05, "ws_ping_timeout": 0.05}
    async with running(kind, **options) as here:
        _, writer = await deaf_client(here)
        await asyncio.wait_for(here.endpoint.left.wait(), 5)
        writer.close()

    assert here.endpoint.over is not None


async def test_who_answers_pings_stays(kind: str) -> None:
    options = {"ws_ping_interval": 0.01, "ws_ping_timeout": 1.0}
    async with running(kind, **options) as here, await here.open() as client:
        await asyncio.sleep(0.1)
        await client.send("still here")
        await until(lambda: here.endpoint.heard)

    assert here.endpoint.heard == ["still here"]


async def test_a_server_that_stops_says_so(kind: str) -> None:
    """1012, and the endpoint is told like of any other end."""
    async with running(kind) as here, await here.open() as client:
        await client.send("one")
        await until(lambda: here.endpoint.heard)
        here.server.should_exit = True

        assert await closing_code(client) == 1012
        await asyncio.wait_for(here.endpoint.left.wait(), 2)
        assert here.endpoint.over == 1012


async def test_a_handshake_may_be_refused(kind: str) -> None:
    async with running(kind) as here:
        here.endpoint.refuses = True
        with pytest.raises(InvalidStatus) as refused:
            await here.open()

    assert refused.value.response.status_code == 403


async def test_a_fault_of_ours_ends_this_socket(
    kind: str, caplog: pytest.LogCaptureFixture
) -> None:
    async with running(kind) as here, await here.open() as client:
        here.endpoint.breaks = True
        with caplog.at_level(logging.ERROR):
            await client.send("one")
            assert await closing_code(client) == 1011
        await asyncio.wait_for(here.endpoint.left.wait(), 2)

    assert "a bug" in caplog.text
    assert here.endpoint.over is not None


async def test_what_waits_is_known(kind: str) -> None:
    """Where the peer does not read; the leg bounds it."""
    async with running(kind) as here:
        _, writer = await deaf_client(here)
        await here.endpoint.accepted()
        for _ in range(20):
            here.endpoint.socket.write("x" * 1_000_000)
        await asyncio.sleep(0.05)
        assert here.endpoint.socket.buffered() > 1_000_000
        writer.transport.abort()


# Ours alone


async def test_a_message_is_heard_in_the_turn_in_which_its_bytes_arrive() -> None:
    """Between the transport and the listener nothing waits."""
    async with running("direct") as here, await here.open():
        endpoint = await here.endpoint.accepted()
        assert isinstance(endpoint, DirectSocket)
        endpoint.data_received(sent(0x81, b"now"))

        assert here.endpoint.heard == ["now"]


async def test_audio_and_what_goes_with_it_are_one_write() -> None:
    written: list[bytes] = []
    async with running("direct") as here, await here.open():
        await here.endpoint.accepted()
        [connection] = connections(here)
        transport, connection.transport = connection.transport, Pen(written)
        endpoint = DirectSocket(connection)
        endpoint.write_audio(b"<", b"audio", b">", "mark")
        endpoint.write_audio(b"<", b"more", b">", "")
        connection.transport = transport

    frames = [Frame(Opcode.TEXT, text).serialize(mask=False) for text in (b"<YXVkaW8=>", b"mark")]
    more = Frame(Opcode.TEXT, b"<bW9yZQ==>").serialize(mask=False)
    assert written == [b"".join(frames), more]


class Pen(asyncio.Transport):
    """A transport that remembers what is written."""

    def __init__(self, written: list[bytes]) -> None:
        super().__init__()
        self._written = written

    def write(self, data: Any) -> None:
        self._written.append(bytes(data))

    def is_closing(self) -> bool:
        return False


async def test_who_speaks_before_the_handshake_is_over_is_heard() -> None:
    """Not usual, and not directly; but nothing is lost, though a frame is cut there."""
    async with running("direct") as here:
        here.endpoint.may_accept.clear()
        reader, writer = await handshake(here)
        await until(lambda: connections(here))
        writer.write(sent(0x81, b"early") + sent(0x81, b"cut")[:4])
        await until(lambda: any(each.read_paused for each in connections(here)))
        here.endpoint.may_accept.set()
        await reader.readuntil(b"\r\n\r\n")
        writer.write(sent(0x81, b"cut")[4:] + sent(0x81, b"later"))
        await until(lambda: len(here.endpoint.heard) == 3)
        writer.transport.abort()

    assert here.endpoint.heard == ["early", "cut", "later"]


async def test_a_peer_that_reads_nothing_is_cut_off(monkeypatch: pytest.MonkeyPatch) -> None:
    """It does not get what waits for it, and keeps nobody."""
    monkeypatch.setattr("bridge.web.direct.GOODBYE_SECONDS", 0.05)
    async with running("direct") as here:
        _, writer = await deaf_client(here)
        await here.endpoint.accepted()
        here.endpoint.socket.write("x" * 20_000_000)
        here.endpoint.enough.set()
        await asyncio.wait_for(here.endpoint.left.wait(), 2)
        await until(lambda: not here.server.server_state.connections)
        writer.transport.abort()

    assert here.endpoint.over == 1005


def connections(here: Running) -> list[DirectProtocol]:
    every = here.server.server_state.connections
    return [each for each in every if isinstance(each, DirectProtocol)]


async def deaf_client(here: Running) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    """A client that has opened a WebSocket, and reads nothing from it."""
    reader, writer = await handshake(here)
    await reader.readuntil(b"\r\n\r\n")
    transport = writer.transport
    assert isinstance(transport, asyncio.ReadTransport)
    transport.pause_reading()
    return reader, writer


async def handshake(here: Running) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    reader, writer = await asyncio.open_connection("127.0.0.1", here.port)
    writer.write(
        b"GET /inside/media HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\n"
        b"Connection: Upgrade\r\nSec-WebSocket-Version: 13\r\n"
        b"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"
    )
    return reader, writer
