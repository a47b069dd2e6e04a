"""A provider's socket hands over what comes in the turn in which it comes."""

from __future__ import annotations

import asyncio

from websockets.asyncio.server import ServerConnection

from bridge.providers.socket import ProviderSocket
from tests.fakes.certificate import localhost_contexts
from tests.providers.peers import Ear, accept, peer, raw_server

GOODBYE = b"\x88\x02\x03\xe9"  # a close frame with code 1001
HELLO = b"\x81\x05hello"


async def echo(connection: ServerConnection) -> None:
    async for message in connection:
        await connection.send(message)


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


async def test_no_cut_is_a_wrong_one() -> None:
    """The handshake's answer and the frames behind it come byte by byte."""
    ear = Ear()
    said = b"\x81\x05hello\x01\x02wo\x89\x00\x80\x03rld\x82\x01x\x88\x02\x03\xe9"

    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await accept(reader, writer, more=said, at_once=1)
        await reader.read()

    async with raw_server(talk) as url:
        await ear.dial(url)
        await ear.closed.wait()

    assert ear.messages == ["hello", "world", b"x"]
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
