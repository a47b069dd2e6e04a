"""However a connection ends, it ends once, with a code, and in bounded time."""

from __future__ import annotations

import asyncio
import gc
import socket as sockets
import time

import pytest
from websockets.asyncio.server import ServerConnection

from bridge.errors import SessionClosed
from bridge.providers.socket import ProviderSocket
from tests.fakes.certificate import localhost_contexts
from tests.providers.peers import Ear, accept, peer, raw_server

HELLO = b"\x81\x05hello"


async def echo(connection: ServerConnection) -> None:
    async for message in connection:
        await connection.send(message)


async def test_the_peer_closes_with_a_code() -> None:
    """Code and reason are handed on; 1001 is an end like any other. Sending is over."""
    ear = Ear()

    async def talk(connection: ServerConnection) -> None:
        await connection.close(1001, "60 minutes")

    async with peer(talk) as url:
        socket = await ear.dial(url)
        await ear.closed.wait()
        await socket.close()

    assert ear.closes == [(1001, "60 minutes")]
    assert not socket.is_open
    with pytest.raises(SessionClosed):
        socket.send("anybody?")


@pytest.mark.parametrize("politely", [True, False])
async def test_the_connection_breaks(politely: bool) -> None:
    """An end of file and a reset without a close frame are a 1006, once."""
    ear = Ear()

    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await accept(reader, writer, more=HELLO)
        await reader.readexactly(1)
        if not politely:
            raw = writer.get_extra_info("socket")
            raw.setsockopt(sockets.SOL_SOCKET, sockets.SO_LINGER, b"\x01\0\0\0\0\0\0\0")

    async with raw_server(talk) as url:
        socket = await ear.dial(url)
        await ear.heard(1)
        socket.send("go")
        await ear.closed.wait()
        await socket.close()

    assert [code for code, _ in ear.closes] == [1006]


async def test_a_message_beyond_the_bound_ends_the_connection() -> None:
    """Nobody makes us hold more than we said: 1009."""
    ear = Ear()

    async def talk(connection: ServerConnection) -> None:
        await connection.send("x" * 2_000)
        await connection.wait_closed()

    async with peer(talk) as url:
        await ProviderSocket.connect(
            url, on_message=ear.on_message, on_close=ear.on_close, max_size=1_000
        )
        await ear.closed.wait()

    assert [code for code, _ in ear.closes] == [1009]
    assert ear.messages == []


async def test_a_peer_that_breaks_the_protocol() -> None:
    """A masked frame from a server is a 1002."""
    ear = Ear()

    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await accept(reader, writer, more=b"\x81\x81\0\0\0\0a")
        await reader.read()

    async with raw_server(talk) as url:
        await ear.dial(url)
        await ear.closed.wait()

    assert [code for code, _ in ear.closes] == [1002]


async def test_closing_says_goodbye() -> None:
    """The peer gets our code and reason; closing twice is harmless; we are told once."""
    ear, codes = Ear(), []

    async def talk(connection: ServerConnection) -> None:
        await connection.wait_closed()
        codes.append((connection.close_code, connection.close_reason))

    async with peer(talk) as url:
        socket = await ear.dial(url)
        await socket.close(1000, "bye")
        await socket.close()

    assert codes == [(1000, "bye")]
    assert ear.closes == [(1000, "bye")]


async def test_closing_a_peer_that_never_answers_is_bounded() -> None:
    """However rude the peer is, `close` comes back, and the socket is gone."""
    ear = Ear()

    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await accept(reader, writer)
        await asyncio.Event().wait()

    async with raw_server(talk) as url:
        socket = await ear.dial(url)
        began = time.monotonic()
        await socket.close(timeout=0.1)
        took = time.monotonic() - began

    assert took < 1.5
    assert [code for code, _ in ear.closes] == [1006]


async def test_a_peer_that_stops_reading() -> None:
    """`buffered` grows, nobody waits, and `close` is still bounded."""
    ear = Ear()

    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await accept(reader, writer)
        raw = writer.get_extra_info("socket")
        raw.setsockopt(sockets.SOL_SOCKET, sockets.SO_RCVBUF, 4_096)
        writer.transport.pause_reading()  # type: ignore[attr-defined]
        await asyncio.Event().wait()

    async with raw_server(talk) as url:
        socket = await ear.dial(url)
        for _ in range(2_000):
            if socket.buffered() > 100_000:
                break
            socket.send("x" * 10_000)
            await asyncio.sleep(0)
        stuck = socket.buffered()
        await socket.close(timeout=0.1)

    assert stuck > 100_000
    assert socket.buffered() == 0
    assert [code for code, _ in ear.closes] == [1006]


async def test_what_is_stuck_under_tls_counts_too() -> None:
    """Beneath TLS there is a second buffer."""
    server_context, client_context = localhost_contexts()
    ear = Ear()
    over = asyncio.Event()

    async def talk(connection: ServerConnection) -> None:
        connection.transport.pause_reading()
        await connection.send("paused")
        await over.wait()
        connection.transport.abort()

    async with peer(talk, tls=server_context) as url:
        socket = await ProviderSocket.connect(
            url, on_message=ear.on_message, on_close=ear.on_close, ssl_context=client_context
        )
        await ear.heard(1)
        sent = 0
        while socket.buffered() == 0 and sent < 64_000_000:
            socket.send("x" * 10_000)
            sent += 10_000
            await asyncio.sleep(0)
        before = socket.buffered()
        for _ in range(10):
            socket.send("x" * 10_000)
        stuck = socket.buffered() - before
        await socket.close(timeout=0.1)
        over.set()

    assert stuck == pytest.approx(100_000, rel=0.2)


async def test_an_unanswered_ping_ends_the_connection() -> None:
    """A half-open connection is a 1006 after an interval and a timeout."""
    ear = Ear()

    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await accept(reader, writer)
        await reader.read()

    async with raw_server(talk) as url:
        await ear.dial(url, ping_interval=0.05, ping_timeout=0.05)
        await ear.closed.wait()

    assert ear.closes == [(1006, "keepalive ping timeout")]


async def test_answered_pings_keep_the_connection() -> None:
    """A peer with nothing to say stays connected."""
    ear = Ear()

    async def talk(connection: ServerConnection) -> None:
        await asyncio.sleep(0.5)
        await connection.send("still here")
        await connection.wait_closed()

    async with peer(talk) as url:
        socket = await ear.dial(url, ping_interval=0.05, ping_timeout=5)
        messages = await ear.heard(1)
        await socket.close()

    assert messages == ["still here"]
    assert ear.closes == [(1000, "")]


async def test_nothing_is_left_behind() -> None:
    """A connection that is over is collected without a complaint."""
    ear = Ear()
    async with peer(echo) as url:
        for _ in range(5):
            socket = await ear.dial(url, ping_interval=20, ping_timeout=20)
            await socket.close()
            del socket
        gc.collect()
        left = [thing for thing in gc.get_objects() if isinstance(thing, ProviderSocket)]

    assert left == []
