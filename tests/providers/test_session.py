"""What all sessions on a socket have in common, with a translator that hardly says a word."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterable, Sequence
from contextlib import asynccontextmanager

import pytest
from websockets.asyncio.server import ServerConnection

from bridge.audio.formats import PCM16_16K, ULAW_8K, AudioChunk
from bridge.errors import AudioFormatError, SessionClosed
from bridge.ports import server_events as event
from bridge.ports.client_events import AudioDelta, ClientEvent
from bridge.ports.model import ToolResponse
from bridge.ports.server_events import Disconnected, Drop, ServerEvent
from bridge.providers.session import SocketSession
from tests.providers.peers import peer


class Plain:
    """A translator whose words are ours."""

    def read(self, message: str | bytes) -> Iterable[ServerEvent]:
        return [event.TextDelta("item", str(message))]

    def write(self, happening: ClientEvent) -> Iterable[str]:
        return [type(happening).__name__]

    envelope = b"<", b">"

    def write_answers(self, responses: Sequence[ToolResponse]) -> Iterable[str]:
        return [response.call_id for response in responses]

    def read_close(self, code: int, reason: str) -> Disconnected:
        return Disconnected(Drop.LOST, code=code, detail=reason)


def new_session() -> SocketSession:
    return SocketSession(Plain(), input_format=ULAW_8K, output_format=ULAW_8K)


@asynccontextmanager
async def echoing() -> AsyncIterator[SocketSession]:
    """A session whose peer repeats every word."""

    async def echo(connection: ServerConnection) -> None:
        async for message in connection:
            await connection.send(message)

    async with peer(echo) as url:
        session = new_session()
        await session.open(url)
        yield session
        await session.close()


async def heard(session: SocketSession, count: int) -> list[str]:
    """The next texts."""
    texts = []
    for _ in range(count):
        happened = await session.next_event()
        assert isinstance(happened, event.TextDelta)
        texts.append(happened.delta)
    return texts


async def test_every_verb_becomes_the_translator_s_words() -> None:
    """In the order in which they were said."""
    async with echoing() as session:
        session.feed(b"\x01")
        await session.send_audio(AudioChunk(b"\x02", ULAW_8K))
        await session.send_audio_base64("Aw==")
        await session.send_event(AudioDelta(b"\x04"))
        await session.send_text("hello")
        await session.send_tool_response(ToolResponse("a", 1), ToolResponse("b", 2))
        await session.commit_audio()
        await session.clear_audio()
        await session.create_response()
        await session.interrupt()

        assert await heard(session, 11) == [
            "<AQ==>",
            "<Ag==>",
            "<Aw==>",
            "<BA==>",
            "Message",
            "a",
            "b",
            "InputAudioBufferCommit",
            "InputAudioBufferClear",
            "ResponseCreate",
            "ResponseCancel",
        ]


async def test_audio_of_another_format_is_refused() -> None:
    """Nobody hears it at the wrong speed."""
    async with echoing() as session:
        with pytest.raises(AudioFormatError):
            await session.send_audio(AudioChunk(b"\0\0", PCM16_16K))
        with pytest.raises(AudioFormatError):
            await session.send_event(AudioDelta(b"\0\0", PCM16_16K))


async def test_a_listener_gets_what_came_before_it() -> None:
    """And everything after it, in the turn in which it comes."""
    seen: list[ServerEvent] = []
    done = asyncio.Event()

    def listen(happened: ServerEvent) -> None:
        seen.append(happened)
        if len(seen) == 3:
            done.set()

    async with echoing() as session:
        await session.send_text("one")
        await session.send_text("two")
        await heard(session, 1)
        session.attach(listen)
        await session.send_text("three")
        await session.send_text("four")
        await done.wait()

    assert len(seen) == 4
    assert isinstance(seen[-1], Disconnected)


async def test_a_network_that_takes_nothing_costs_audio_and_no_word() -> None:
    """Audio is dropped and counted, `feed` never waits, and control still goes out."""
    over = asyncio.Event()

    async def deaf(connection: ServerConnection) -> None:
        connection.transport.pause_reading()
        await connection.send("paused")
        await over.wait()
        connection.transport.abort()

    async with peer(deaf) as url:
        session = new_session()
        await session.open(url)
        await session.next_event()
        pieces = 0
        while session.dropped_audio == 0 and pieces < 10_000:
            session.feed(bytes(8_000))
            pieces += 1
        await session.send_text("still here")
        session.abort()
        over.set()

    assert session.dropped_audio == 1


async def test_our_close_is_the_last_event() -> None:
    """CLOSED, once, and None for ever after."""
    async with echoing() as session:
        await session.close()
        last = await session.next_event()
        after = await session.next_event()

    assert isinstance(last, Disconnected)
    assert last.drop is Drop.CLOSED
    assert after is None


async def test_nothing_is_told_after_we_began_to_close() -> None:
    """A peer that goes on talking is not listened to any more."""

    async def talk_on(connection: ServerConnection) -> None:
        await connection.recv()
        for _ in range(3):
            await connection.send("and another thing")
        await connection.wait_closed()

    async with peer(talk_on) as url:
        session = new_session()
        await session.open(url)
        await session.send_text("bye")
        await session.close()
        events = [each async for each in session.events()]

    assert [type(each) for each in events] == [Disconnected]


async def test_the_provider_s_close_is_the_translator_s_to_read() -> None:
    """It is no CLOSED."""

    async def leave(connection: ServerConnection) -> None:
        await connection.close(1013, "try later")

    async with peer(leave) as url:
        session = new_session()
        await session.open(url)
        last = await session.next_event()
        await session.close()

    assert last == Disconnected(Drop.LOST, code=1013, detail="try later")
    assert not session.is_connected


async def test_what_is_sent_after_the_end() -> None:
    """Words are refused, audio is ignored."""
    async with echoing() as session:
        await session.close()
        session.feed(b"\x01")
        with pytest.raises(SessionClosed):
            await session.send_text("anybody?")
        with pytest.raises(SessionClosed):
            await session.send_audio(AudioChunk(b"a", ULAW_8K))


async def test_a_session_that_was_never_opened() -> None:
    """It is not connected, hears nothing, and closes without a word."""
    session = new_session()
    session.feed(b"\x01")
    with pytest.raises(SessionClosed):
        await session.send_text("anybody?")
    await session.close()

    assert not session.is_connected
    assert session.session_id
