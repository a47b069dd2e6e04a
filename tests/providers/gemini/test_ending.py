"""How a session ends, what it leaves behind, and when silence is an end."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from bridge.errors import Fault, SessionClosed
from bridge.ports import server_events as event
from bridge.ports.model import ToolResponse
from bridge.ports.server_events import Drop, ResponseStatus
from bridge.ports.session import RealtimeConfig
from bridge.providers.gemini.patience import Patience
from tests.fakes.gemini_live import FakeGemini
from tests.fakes.gemini_script import (
    Calls,
    Cut,
    GoAway,
    Hang,
    Pause,
    Raw,
    Say,
    Script,
    call,
)
from tests.providers.gemini.calls import (
    FRAME,
    HOURS,
    SILENCE,
    SPEECH,
    bare,
    feed,
    kinds,
    live,
    until,
)


@pytest.mark.parametrize(
    ("code", "reason", "drop", "fault"),
    [
        (1011, "Deadline expired before operation could complete.", Drop.EXPIRED, Fault.PROVIDER),
        (1011, "Internal error encountered.", Drop.LOST, Fault.PROVIDER),
        (1008, "You exceeded your current quota.", Drop.REFUSED, Fault.OPERATOR),
        (1000, "", Drop.LOST, Fault.PROVIDER),
        (1006, "", Drop.LOST, Fault.PROVIDER),
    ],
)
async def test_an_end_is_told_once_and_is_the_last_event(
    code: int, reason: str, drop: Drop, fault: Fault
) -> None:
    async with live() as (fake, session):
        await fake.session.drop(code, reason)
        end, _ = await until(session, event.Disconnected)

        assert (end.drop, end.fault, end.code) == (drop, fault, code)
        assert await session.next_event() is None
        assert not session.is_connected
        session.feed(FRAME)
        with pytest.raises(SessionClosed):
            await session.create_response()


async def test_a_drop_in_the_middle_of_the_callers_words_keeps_them() -> None:
    script = Script([(Cut(1006),)], heard="I want")
    async with live(script) as (_, session):
        feed(session, SPEECH + SILENCE)
        _, events = await until(session, event.Disconnected)

    assert event.InputTranscriptDone("I want", "item_1") in events


async def test_an_announced_end_is_told_and_comes() -> None:
    async with live(Script([(GoAway(0.05), Hang())])) as (_, session):
        await session.create_response()
        going, _ = await until(session, event.GoingAway)
        end, _ = await until(session, event.Disconnected)

    assert going.seconds == 0.05
    assert end.drop is Drop.EXPIRED


async def test_handles_come_and_go() -> None:
    """None while the model speaks, a new one when it is done."""
    async with live() as (fake, session):
        await session.create_response()
        _, events = await until(session, event.ResponseDone)
        newest, _ = await until(session, event.ResumptionToken)

    before = [told.token for told in events if isinstance(told, event.ResumptionToken)]
    first, second = fake.handles
    assert before == [first, None]
    assert newest.token == second


async def test_a_session_without_a_handle_says_so() -> None:
    async with live(Script(resumable=False)) as (_, session):
        told, _ = await until(session, event.ResumptionToken)

    assert told.token is None


async def test_an_unreadable_frame_is_dropped_and_the_session_goes_on() -> None:
    async with live() as (fake, session):
        await fake.session.socket.send("{")
        await fake.session.socket.send(b"\xff\xfe")
        await session.create_response()
        _, events = await until(session, event.ResponseDone)

    assert kinds(events).count("BadFrame") == 2


async def test_closing_is_quick_and_harmless() -> None:
    async with live() as (fake, session):
        begun = time.monotonic()
        await session.close()
        await session.close()
        took = time.monotonic() - begun
        _, events = await until(session, event.Disconnected)
        await fake.session.ended.wait()

    assert took < 2.0
    assert events[-1] == event.Disconnected(Drop.CLOSED, Fault.NOBODY, 1000)
    assert fake.session.close_code == 1000


# Silence


async def test_a_server_that_owes_an_answer_and_is_silent_is_given_up() -> None:
    async with live(Script([(Hang(),)]), patience=0.3) as (_, session):
        await session.create_response()
        end, _ = await until(session, event.Disconnected)

        assert end.drop is Drop.LOST
        assert not session.is_connected
        with pytest.raises(SessionClosed):
            await session.create_response()


async def test_a_server_that_stops_in_the_middle_is_given_up() -> None:
    async with live(Script([(Say(), Hang())]), patience=0.3) as (_, session):
        await session.create_response()
        await until(session, event.AudioDelta)
        end, _ = await until(session, event.Disconnected)

    assert end.drop is Drop.LOST


async def test_silence_that_nobody_has_to_break_is_no_end() -> None:
    """A tool runs; the server waits until its answer has been heard."""
    script = Script([(Calls((call("hours", "c-1"),)), Say(seconds=1.2))])
    async with live(script, RealtimeConfig(tools=(HOURS,)), patience=1.0) as (_, session):
        await session.create_response()
        await until(session, event.FunctionCallDone)
        await asyncio.sleep(1.2)
        await session.send_tool_response(ToolResponse("c-1", 7))
        done, _ = await until(session, event.ResponseDone)

        assert done.status is ResponseStatus.COMPLETED
        assert session.is_connected


async def test_slow_progress_is_progress() -> None:
    steps = [Raw({"usageMetadata": {"totalTokenCount": n}}) for n in range(6)]
    slow = [step for raw in steps for step in (Pause(0.25), raw)]
    async with live(Script([(*slow, Say())], playback=0), patience=1.0) as (_, session):
        await session.create_response()
        done, _ = await until(session, event.ResponseDone)

    assert done.status is ResponseStatus.COMPLETED


@asynccontextmanager
async def deaf_network() -> AsyncIterator[str]:
    """The base URL of a server behind a network that takes nothing after the setup."""

    async def relay(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        server_side, onward = await asyncio.open_connection("127.0.0.1", fake.port)
        writers.extend([writer, onward])
        onward.write(await reader.readuntil(b"\r\n\r\n"))
        writer.write(await server_side.readuntil(b"\r\n\r\n"))
        onward.write(await reader.read(65_536))
        writer.write(await server_side.read(65_536))
        writer.transport.pause_reading()  # type: ignore[attr-defined]

    writers: list[asyncio.StreamWriter] = []
    async with FakeGemini() as fake, await asyncio.start_server(relay, "127.0.0.1", 0) as network:
        yield f"ws://127.0.0.1:{network.sockets[0].getsockname()[1]}"
        for writer in writers:
            writer.transport.abort()


async def test_a_network_that_takes_no_audio_is_given_up() -> None:
    """Audio is dropped and counted first; the call does not stay deaf for ever."""
    patience = Patience(silence=60.0, blockage=0.1)
    async with deaf_network() as base_url, bare(base_url, patience=patience) as session:
        while session.is_connected:
            feed(session, SILENCE)
            await asyncio.sleep(0.01)
        end, _ = await until(session, event.Disconnected)

    assert session.dropped_audio > 0
    assert end.drop is Drop.LOST
