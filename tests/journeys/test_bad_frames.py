"""A peer that does not keep to the protocol harms itself only."""

from __future__ import annotations

import asyncio
import json
import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest
from websockets.exceptions import InvalidStatus

from bridge.agent.agent import Agent
from bridge.carriers.twilio import BAD_FRAMES_QUOTA
from bridge.simulator.caller import Say as CallerSays
from bridge.simulator.caller import WaitForAgent
from bridge.telemetry.logs import current_call
from bridge.wire.twilio import frames, media
from tests.fakes.openai_realtime import FakeOpenAI, Say, Script
from tests.journeys import sound
from tests.journeys.hand import STREAM, HandMadeCall, closing_code
from tests.journeys.stage import INSTRUCTIONS, QUICK, Stage, on_stage, openai, until

HUGE = "x" * (64 * 1024 + 1)


def write(**frame: object) -> str:
    return json.dumps({"streamSid": STREAM, **frame})


BAD: dict[str, tuple[str | bytes, str, int]] = {
    "no JSON": ("{", "not-json", 1007),
    "no object": ("[]", "malformed", 1007),
    "no event": (write(), "malformed", 1007),
    "wrong type": (write(event="media", media={"payload": 7}), "malformed", 1007),
    "no media": (write(event="media"), "malformed", 1007),
    "bad base64": (write(event="media", media={"payload": "=="}), "bad-base64", 1007),
    "bad digit": (write(event="dtmf", dtmf={"digit": "17"}), "malformed", 1007),
    "binary": (b"\xff" * 160, "binary", 1003),
    "unknown event": (write(event="party"), "unknown-event", 1008),
    "another stream": (HandMadeCall.frame(stream_sid="MZ" + "1" * 32), "wrong-stream", 1008),
    "late greeting": (media.write_event(frames.Connected()), "late-greeting", 1008),
}


@asynccontextmanager
async def a_bridge() -> AsyncIterator[Stage]:
    script = Script(otherwise=Say("Yes?", audio=sound.voice(0.6)))
    agent = Agent(INSTRUCTIONS, vad=QUICK)
    async with FakeOpenAI(script) as fake:
        async with on_stage(agent, openai(fake)) as stage:
            yield stage
        await until(lambda: all(session.closed for session in fake.sessions))


async def test_bad_frames_are_dropped_and_counted_and_in_the_end_too_many() -> None:
    """
    Up to the quota the call goes on; past it the stream is closed, with the code that
    says why. The metrics tell at once, and a call beside these notices nothing.
    """
    async with a_bridge() as stage:
        beside = asyncio.create_task(
            stage.place(CallerSays(sound.word()), WaitForAgent(silence_seconds=1.5))
        )
        sockets = {name: await HandMadeCall(stage).stream() for name in BAD}
        for name, (frame, _, _) in BAD.items():
            for _ in range(BAD_FRAMES_QUOTA - 1):
                await sockets[name].send(frame)
            await sockets[name].send(HandMadeCall.frame())
        expected = {reason: 0 for _, reason, _ in BAD.values()}
        for _, reason, _ in BAD.values():
            expected[reason] += BAD_FRAMES_QUOTA - 1
        for reason, count in expected.items():
            await counted(stage, reason, count)

        assert all(socket.state.name == "OPEN" for socket in sockets.values())
        for name, (frame, _, code) in BAD.items():
            await sockets[name].send(frame)
            assert await closing_code(sockets[name]) == code, name
        report = await beside

    assert sound.ulaw_of(sound.voice(0.6)) in report.heard
    assert report.problems == ()


async def test_the_log_says_whose_call_it_was() -> None:
    """A line about a frame names the call, once for each kind of frame."""
    lines = Lines()
    logging.getLogger("bridge").addHandler(lines)
    try:
        async with a_bridge() as stage:
            call = HandMadeCall(stage)
            socket = await call.stream()
            await until(lambda: stage.service.switchboard.find(call.call_sid))
            for _ in range(3):
                await socket.send(b"\xff")
            await counted(stage, "binary", 3)
            await socket.close()
    finally:
        logging.getLogger("bridge").removeHandler(lines)

    assert lines.of("a frame of the carrier's was dropped: binary") == [call.call_sid]


class Lines(logging.Handler):
    """The lines of a log, each with the call that it is about."""

    def __init__(self) -> None:
        super().__init__()
        self._lines: list[tuple[str, str]] = []

    def emit(self, record: logging.LogRecord) -> None:
        self._lines.append((record.getMessage(), current_call()))

    def of(self, message: str) -> list[str]:
        return [call for line, call in self._lines if line == message]


async def test_a_frame_larger_than_any_is_the_end_of_its_stream() -> None:
    """64 KiB and more is nothing that a carrier sends."""
    async with a_bridge() as stage:
        call = HandMadeCall(stage)
        socket = await call.stream()
        await until(lambda: stage.service.switchboard.find(call.call_sid))
        await socket.send(HUGE)

        assert await closing_code(socket) == 1009
        assert await call.asks_next() == ["Connect"]


async def test_a_second_start_is_the_end_of_its_stream() -> None:
    """A stream carries one call."""
    async with a_bridge() as stage:
        call = HandMadeCall(stage)
        socket = await call.stream()
        await call.begin(socket)

        assert await closing_code(socket) == 1008
        await counted(stage, "second-start", 1)


async def test_audio_before_the_start_is_nobodys() -> None:
    """It is dropped, and the stream may still begin."""
    async with a_bridge() as stage:
        call = HandMadeCall(stage)
        await call.ask()
        socket = await call.open()
        await socket.send(HandMadeCall.frame())
        await call.begin(socket)
        await counted(stage, "before-start", 1)

        assert await stage.metric("bridge_calls_live") == 1
        await socket.close()


async def test_a_ticket_is_good_for_one_stream_of_its_own_call() -> None:
    """Replayed, forged, borrowed or for another account it opens nothing."""
    async with a_bridge() as stage:
        mine, other = HandMadeCall(stage), HandMadeCall(stage)
        live = await mine.stream()
        await other.ask()
        refused = {
            "ticket-used": mine.token,
            "ticket-forged": mine.token[:-6] + "AAAAAA",
            "ticket-malformed": "",
            "ticket-of-another-call": other.token,
        }
        for reason, token in refused.items():
            socket = await mine.open()
            await mine.begin(socket, token=token)
            assert await closing_code(socket) == 1008, reason
            await counted(stage, reason, 1)
        socket = await other.open()
        await other.begin(socket, account_id="AC" + "9" * 32)
        assert await closing_code(socket) == 1008
        await counted(stage, "ticket-of-another-call", 2)

        assert live.state.name == "OPEN"
        await live.close()


@pytest.mark.parametrize("signed_by", [None, "another-token"])
async def test_a_handshake_that_twilio_did_not_sign_is_refused(signed_by: str | None) -> None:
    """With 403, before there is a WebSocket at all."""
    async with a_bridge() as stage:
        with pytest.raises(InvalidStatus) as refused:
            await HandMadeCall(stage).open(signed_by=signed_by)

        assert refused.value.response.status_code == 403
        await counted(stage, "handshake-signature", 1)


async def test_a_newer_leg_takes_the_call_from_an_older_one() -> None:
    """
    The carrier has noticed that the line broke and we have not: what comes back is the
    same call, and the older leg lets go.
    """
    async with a_bridge() as stage:
        call = HandMadeCall(stage)
        older = await call.stream()
        await older.send(HandMadeCall.frame())
        await call.ask("/twilio/next")
        newer = await call.open()
        await call.begin(newer)

        assert await closing_code(older) == 1000
        assert await stage.metric("bridge_calls_live") == 1
        assert newer.state.name == "OPEN"
        await newer.close()


async def test_streams_that_do_nothing_are_given_up() -> None:
    """
    Five seconds to begin in, whatever else is sent; and five without any audio, which
    carriers send all the time, are a dead line.
    """
    async with a_bridge() as stage:
        call = HandMadeCall(stage)
        fell_silent = await call.stream()
        await fell_silent.send(HandMadeCall.frame())
        silent, talking = await HandMadeCall(stage).open(), await HandMadeCall(stage).open()
        await talking.send(media.write_event(frames.Connected()))
        for _ in range(3):
            await talking.send(HandMadeCall.frame())

        sockets = (silent, talking, fell_silent)
        assert [await closing_code(socket) for socket in sockets] == [1008, 1008, 1000]
        await counted(stage, "no-start", 2)
        assert await stage.metric("bridge_calls_ended_total", 'reason="silent"') == 1
        assert await call.asks_next() == ["Connect"]


async def test_a_call_whose_streams_never_begin_is_let_go_in_words() -> None:
    """The carrier asks again and again, and in the end it is told to apologise."""
    async with a_bridge() as stage:
        call = HandMadeCall(stage)
        await call.ask()
        answers = [await call.asks_next() for _ in range(6)]

        assert answers == [["Connect"]] * 5 + [["Say", "Hangup"]]


async def counted(stage: Stage, reason: str, count: int) -> None:
    """Until so many bad frames were counted for this reason, and no more than that."""
    async with asyncio.timeout(10):
        while (found := await bad_frames(stage, reason)) < count:
            await asyncio.sleep(0.02)
    assert found == count


async def bad_frames(stage: Stage, reason: str) -> float:
    return await stage.metric("bridge_bad_frames_total", f'reason="{reason}"')
