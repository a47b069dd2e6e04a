"""A handshake that fails says why, whether to try again, and leaves nothing behind."""

from __future__ import annotations

import asyncio
import socket as sockets
import time

import pytest
from websockets.asyncio.server import ServerConnection

from bridge.errors import AuthError, ConnectError
from tests.fakes.certificate import localhost_contexts
from tests.providers.peers import Ear, peer, raw_server


async def echo(connection: ServerConnection) -> None:
    async for message in connection:
        await connection.send(message)


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


async def test_a_host_that_cannot_be_one() -> None:
    """Its name is wrong today and tomorrow."""
    with pytest.raises(ConnectError, match="no name") as caught:
        await Ear().dial(f"ws://{'x' * 70}.example/")

    assert not caught.value.retryable


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


async def _refused(ear: Ear, status: int, headers: str = "") -> None:
    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(f"HTTP/1.1 {status} No\r\n{headers}Content-Length: 2\r\n\r\nno".encode())
        await reader.read()

    async with raw_server(talk) as url:
        await ear.dial(url)
