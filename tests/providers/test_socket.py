"""A provider's socket hands over at once, ends once, and survives every peer."""

from __future__ import annotations

import asyncio
import gc
import socket as sockets
import ssl
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

import pytest
from websockets.asyncio.server import ServerConnection, serve

from bridge.errors import AuthError, ConnectError, SessionClosed
from bridge.providers.socket import ProviderSocket
from tests.fakes.certificate import localhost_contexts
from tests.providers.peers import Ear, accept, raw_server

GOODBYE = b"\x88\x02\x03\xe9"  # a close frame with code 1001
HELLO = b"\x81\x05hello"


@asynccontextmanager
async def peer(
    talk: Callable[[ServerConnection], Any], *, tls: ssl.SSLContext | None = None
) -> AsyncIterator[str]:
    async with serve(talk, "127.0.0.1", 0, ssl=tls) as server:
        port = next(iter(server.sockets)).getsockname()[1]
        yield f"wss://localhost:{port}/" if tls else f"ws://127.0.0.1:{port}/"


async def echo(connection: ServerConnection) -> None:
    async for message in connection:
        await connection.send(message)


# Talking.


async def test_text_comes_as_str_and_binary_as_bytes() -> None:
    """What is sent arrives, and keeps its kind."""

    async def talk(connection: ServerConnection) -> None:
        await connection.send(f"you said {await connection.recv(decode=True)}")
        await connection.send(b"\x00\xff")
        await connection.wait_closed()

    ear = Ear()
    async with peer(talk) as url:
        socket = await ear.dial(url)
        socket.send("grüß dich")
        messages = await ear.heard(2)
        await socket.close()

    assert messages == ["you said grüß dich", b"\x00\xff"]


async def test_a_fragmented_message_is_put_together() -> None:
    """Fragments are the peer's affair; listeners see whole messages, in order."""

    async def talk(connection: ServerConnection) -> None:
        await connection.send(["frag", "men", "ted"])
        await connection.send([b"a", b"b"])
        await connection.send("whole")
        await connection.wait_closed()

    ear = Ear()
    async with peer(talk) as url:
        socket = await ear.dial(url)
        messages = await ear.heard(3)
        await socket.close()

    assert messages == ["fragmented", b"ab", "whole"]


async def test_headers_are_sent_and_compression_is_not_offered() -> None:
    """The handshake says who we are, and keeps the CPU for voices."""
    seen: dict[str, str] = {}

    async def talk(connection: ServerConnection) -> None:
        assert connection.request is not None
        seen.update(connection.request.headers)

    ear = Ear()
    async with peer(talk) as url:
        await ProviderSocket.connect(
            url,
            headers={"Authorization": "Bearer k"},
            on_message=ear.on_message,
            on_close=ear.on_close,
        )
        await ear.closed.wait()

    assert seen["authorization"] == "Bearer k"
    assert "sec-websocket-extensions" not in {name.lower() for name in seen}


async def test_a_message_is_handed_over_in_the_turn_in_which_it_arrives() -> None:
    """Whatever listeners do, they do before the loop does anything else."""
    ear = Ear()
    async with peer(echo) as url:
        socket = await ear.dial(url)
        await asyncio.sleep(0)
        frame = HELLO + b"\x82\x01x"

        socket.data_received(frame)

        assert ear.messages == ["hello", b"x"]
        await socket.close()


async def test_what_comes_with_the_handshake_waits_until_connect_has_returned() -> None:
    """Messages and even a goodbye in the same segment as the 101 are told afterwards."""
    ear = Ear()

    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await accept(reader, writer, more=HELLO + GOODBYE)
        await reader.read()

    async with raw_server(talk) as url:
        await ear.dial(url)
        early = list(ear.messages), list(ear.closes)
        await ear.closed.wait()

    assert early == ([], [])
    assert ear.messages == ["hello"]
    assert ear.closes == [(1001, "")]


async def test_a_listener_that_fails_is_reported_and_costs_nothing_else() -> None:
    """Its exception goes to the loop's handler; the connection lives on."""
    ear, reports = Ear(), []

    def fail_once(message: str | bytes) -> None:
        ear.on_message(message)
        if message == "first":
            raise ZeroDivisionError

    asyncio.get_running_loop().set_exception_handler(lambda _, report: reports.append(report))
    async with peer(echo) as url:
        socket = await ProviderSocket.connect(url, on_message=fail_once, on_close=ear.on_close)
        socket.send("first")
        socket.send("second")
        await ear.heard(2)
        await socket.close()

    assert [type(report["exception"]) for report in reports] == [ZeroDivisionError]
    assert ear.messages == ["first", "second"]
    assert ear.closes == [(1000, "")]


async def test_a_broken_character_costs_a_letter() -> None:
    """Text that is not UTF-8 is still handed over; the session is worth more than it."""
    ear = Ear()

    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await accept(reader, writer, more=b"\x81\x03a\xffb" + HELLO)
        await reader.read()

    async with raw_server(talk) as url:
        socket = await ear.dial(url)
        messages = await ear.heard(2)
        await socket.close(timeout=0.1)

    assert messages == ["a\ufffdb", "hello"]


async def test_tls() -> None:
    """The same over TLS, with the context that is given."""
    server_context, client_context = localhost_contexts()
    ear = Ear()
    async with peer(echo, tls=server_context) as url:
        socket = await ProviderSocket.connect(
            url, on_message=ear.on_message, on_close=ear.on_close, ssl_context=client_context
        )
        socket.send("hello")
        messages = await ear.heard(1)
        await socket.close()

    assert messages == ["hello"]
    assert ear.closes == [(1000, "")]


# Not getting through.


@pytest.mark.parametrize("status", [401, 403])
async def test_a_refused_key_is_an_auth_error(status: int) -> None:
    """Trying again with the same key cannot help."""
    ear = Ear()
    with pytest.raises(AuthError, match=str(status)) as caught:
        await _refused(ear, status)

    assert not caught.value.retryable


@pytest.mark.parametrize(
    ("status", "retryable"), [(404, False), (400, False), (429, True), (503, True)]
)
async def test_a_refusal_says_whether_another_try_may_help(status: int, retryable: bool) -> None:
    """What passes is worth a try: too many requests, and every fault of the server's own."""
    ear = Ear()
    with pytest.raises(ConnectError, match=str(status)) as caught:
        await _refused(ear, status)

    assert caught.value.retryable is retryable
    assert ear.closes == []


async def test_the_provider_may_say_how_long_to_wait() -> None:
    """Retry-After in seconds, or as a date."""
    ear = Ear()
    with pytest.raises(ConnectError) as caught:
        await _refused(ear, 429, "Retry-After: 7\r\n")
    date = time.strftime("%a, %d %b %Y %H:%M:%S GMT", time.gmtime(time.time() + 90))
    with pytest.raises(ConnectError) as dated:
        await _refused(ear, 503, f"Retry-After: {date}\r\n")
    with pytest.raises(ConnectError) as nonsense:
        await _refused(ear, 503, "Retry-After: soon\r\n")

    assert caught.value.retry_after == 7
    assert dated.value.retry_after == pytest.approx(90, abs=20)
    assert nonsense.value.retry_after is None


async def test_nobody_is_there() -> None:
    """A refused connection is worth another try."""
    with sockets.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        port = unused.getsockname()[1]
    with pytest.raises(ConnectError, match="cannot be reached") as caught:
        await Ear().dial(f"ws://127.0.0.1:{port}/")

    assert caught.value.retryable


@pytest.mark.parametrize("url", ["http://host/", "ws://", "ws://host:port/?key=secret"])
async def test_an_url_that_is_none(url: str) -> None:
    """It cannot be mended by trying again, and may hold a key: it is not repeated."""
    with pytest.raises(ConnectError) as caught:
        await Ear().dial(url)

    assert not caught.value.retryable
    assert "secret" not in str(caught.value)


async def test_a_peer_that_never_answers_the_handshake() -> None:
    """The timeout counts for everything until the socket is open; the text hides the URL."""

    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read()

    async with raw_server(talk) as url:
        with pytest.raises(ConnectError, match="in time") as caught:
            await Ear().dial(url, open_timeout=0.05)

    assert caught.value.retryable
    assert "secret" not in str(caught.value)


@pytest.mark.parametrize("answer", [b"", b"SSH-2.0-OpenSSH_9\r\n\r\n", b"HTTP/1.1 200 OK\r\n\r\n"])
async def test_a_peer_that_is_no_websocket(answer: bytes) -> None:
    """Hanging up, another protocol, another HTTP answer: a ConnectError each."""

    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(answer)
        await writer.drain()

    ear = Ear()
    async with raw_server(talk) as url:
        with pytest.raises(ConnectError):
            await ear.dial(url)

    assert ear.closes == []


async def test_a_certificate_that_nobody_vouches_for() -> None:
    """It will not be better in a second."""
    server_context, _ = localhost_contexts()
    async with peer(echo, tls=server_context) as url:
        with pytest.raises(ConnectError, match="certificate") as caught:
            await Ear().dial(url)

    assert not caught.value.retryable


async def test_a_dial_may_be_cancelled() -> None:
    """Nothing stays open of it."""
    reached, gone = asyncio.Event(), asyncio.Event()

    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        reached.set()
        try:
            await reader.read()
        finally:
            gone.set()

    async with raw_server(talk) as url:
        dial = asyncio.ensure_future(Ear().dial(url))
        await reached.wait()
        dial.cancel()
        await asyncio.wait([dial])
        await gone.wait()

    assert dial.cancelled()


# Ending.


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
            if socket.buffered > 100_000:
                break
            socket.send("x" * 10_000)
            await asyncio.sleep(0)
        stuck = socket.buffered
        await socket.close(timeout=0.1)

    assert stuck > 100_000
    assert socket.buffered == 0
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
        while socket.buffered == 0 and sent < 64_000_000:
            socket.send("x" * 10_000)
            sent += 10_000
            await asyncio.sleep(0)
        before = socket.buffered
        for _ in range(10):
            socket.send("x" * 10_000)
        stuck = socket.buffered - before
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


async def _refused(ear: Ear, status: int, headers: str = "") -> None:
    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(f"HTTP/1.1 {status} No\r\n{headers}Content-Length: 2\r\n\r\nno".encode())
        await reader.read()

    async with raw_server(talk) as url:
        await ear.dial(url)
