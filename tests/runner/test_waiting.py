"""Sending something to a session and waiting for all of its answer."""

from __future__ import annotations

import asyncio

import pytest

from bridge.audio.formats import PCM16_24K, AudioChunk
from bridge.errors import RealtimeError, ServerError, SessionClosed
from bridge.ports import client_events as client
from bridge.ports import server_events as event
from bridge.ports.server_events import Drop, ErrorInfo, ResponseStatus, ServerEvent, Severity
from bridge.ports.session import RealtimeConfig
from bridge.runner.waiting import collect_audio, send_audio_and_wait, send_text_and_wait
from tests.fakes.model import FakeModel, FakeSession, turns

ANSWER: list[ServerEvent] = [
    event.ResponseCreated("r1"),
    event.AudioDelta("a1", b"12"),
    event.TranscriptDelta("a1", "Yes."),
    event.AudioDelta("a1", b"34"),
    event.ResponseDone("r1"),
]


async def session() -> FakeSession:
    return await FakeModel().connect(RealtimeConfig())


async def test_text_is_sent_and_answered() -> None:
    """All events up to the end of the answer; what comes later is left."""
    one = await session()
    waiting = asyncio.create_task(send_text_and_wait(one, "hello"))
    await turns()
    one.emit(*ANSWER, event.RateLimitsUpdated(()))

    assert await waiting == ANSWER
    assert one.told == [client.Message("user", "hello"), client.ResponseCreate()]
    assert await one.next_event() == event.RateLimitsUpdated(())


async def test_audio_is_sent_committed_and_answered() -> None:
    """A commit alone would be answered by nobody."""
    one = await session()
    one.emit(*ANSWER)

    events = await send_audio_and_wait(one, AudioChunk(b"1234", PCM16_24K))

    assert events == ANSWER
    assert one.told == [b"1234", client.InputAudioBufferCommit(), client.ResponseCreate()]


async def test_the_voice_of_an_answer_is_collected() -> None:
    """Nothing but the voice."""
    one = await session()
    one.emit(*ANSWER)

    assert await collect_audio(one) == b"1234"


async def test_an_error_ends_the_wait() -> None:
    """There will be no answer."""
    one = await session()
    one.emit(event.Error(ErrorInfo("invalid", "no", "bad_item")))

    with pytest.raises(ServerError, match="bad_item"):
        await collect_audio(one)


async def test_a_harmless_error_does_not() -> None:
    """A race that both sides expect."""
    one = await session()
    one.emit(event.Error(ErrorInfo("race", "no"), Severity.HARMLESS), *ANSWER)

    assert await collect_audio(one) == b"1234"


async def test_an_answer_that_fails_is_an_error() -> None:
    """In the provider's word."""
    one = await session()
    one.emit(event.ResponseDone("r1", ResponseStatus.FAILED, "rate_limit"))

    with pytest.raises(ServerError, match="rate_limit"):
        await send_text_and_wait(one, "hello")


@pytest.mark.parametrize("drop", list(Drop))
async def test_the_end_of_the_session_ends_the_wait(drop: Drop) -> None:
    """However it ended, and also when it had ended before."""
    one = await session()
    one.drop(drop)

    with pytest.raises(SessionClosed):
        await collect_audio(one)
    with pytest.raises(SessionClosed):
        await collect_audio(one)


async def test_nobody_waits_for_ever() -> None:
    """A commit without a response, say."""
    one = await session()

    with pytest.raises(RealtimeError, match=r"within 0\.01 seconds"):
        await collect_audio(one, timeout=0.01)
