"""
Sending something to a session and waiting for all of its answer.

For programs without a telephone: scripts, tests, evaluations. Whoever waits here is the
session's only listener, on a session in which nobody is speaking yet.
"""

from __future__ import annotations

import asyncio

from bridge.audio.formats import AudioChunk
from bridge.errors import RealtimeError, ServerError, SessionClosed
from bridge.ports import server_events as event
from bridge.ports.model import RealtimeSession
from bridge.ports.server_events import ResponseStatus, ServerEvent, Severity

__all__ = ["collect_audio", "send_audio_and_wait", "send_text_and_wait"]

ANSWER_TIMEOUT = 30.0  # seconds


async def send_audio_and_wait(
    session: RealtimeSession, audio: AudioChunk, *, timeout: float = ANSWER_TIMEOUT
) -> list[ServerEvent]:
    """Say this, ask for an answer, return its events up to ResponseDone; see `collect_audio`."""
    await session.send_audio(audio)
    await session.commit_audio()
    await session.create_response()
    return await _answer(session, timeout)


async def send_text_and_wait(
    session: RealtimeSession, text: str, *, timeout: float = ANSWER_TIMEOUT
) -> list[ServerEvent]:
    """Write this, ask for an answer, return its events up to ResponseDone; see `collect_audio`."""
    await session.send_text(text)
    await session.create_response()
    return await _answer(session, timeout)


async def collect_audio(session: RealtimeSession, *, timeout: float = ANSWER_TIMEOUT) -> bytes:
    """
    The voice of the answer that is coming, in the session's output format.

    `timeout` is in seconds. Raises ServerError when the provider reports an error or the
    answer fails, SessionClosed when the session ends first, RealtimeError when the answer
    is not complete in time.
    """
    events = await _answer(session, timeout)
    return b"".join(heard.delta for heard in events if isinstance(heard, event.AudioDelta))


async def _answer(session: RealtimeSession, timeout: float) -> list[ServerEvent]:
    events: list[ServerEvent] = []
    try:
        async with asyncio.timeout(timeout):
            while True:
                happened = await session.next_event()
                _check(happened)
                if happened is not None:
                    events.append(happened)
                if isinstance(happened, event.ResponseDone):
                    return events
    except TimeoutError:
        raise RealtimeError(f"the answer was not complete within {timeout} seconds") from None


def _check(happened: ServerEvent | None) -> None:
    """Raise when there will be no answer after this."""
    match happened:
        case None | event.Disconnected():
            raise SessionClosed("the session ended before the answer did")
        case event.Error(error, severity) if severity is not Severity.HARMLESS:
            raise ServerError(error.code or error.type, error.message)
        case event.ResponseDone(status=ResponseStatus.FAILED, reason=reason):
            raise ServerError(reason, "the answer failed")
        case _:
            pass
