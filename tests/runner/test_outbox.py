"""Control messages on their way to the session."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from bridge.errors import NotConnected, SessionClosed, UnsupportedConfig
from bridge.ports import client_events as client
from bridge.ports.model import Resumption, ToolResponse
from bridge.ports.session import RealtimeConfig
from bridge.runner.link import Link
from bridge.runner.outbox import Outbox, Release
from bridge.runner.vocabulary import Answer
from tests.fakes.model import Answers, FakeModel, FakeSession, Gate, turns

HELLO = client.Message("user", "hello")
SPEAK = client.ResponseCreate()
STOP = client.ResponseCancel()
ANSWER = ToolResponse("c1", 1)


@asynccontextmanager
async def running() -> AsyncIterator[tuple[Outbox, FakeSession, Link]]:
    """An outbox at work, and the session behind it."""
    model = FakeModel()
    link = Link(model, lambda _: None)
    await link.open(RealtimeConfig(), Resumption())
    outbox = Outbox(link)
    task = asyncio.create_task(outbox.run())
    try:
        yield outbox, model.session, link
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
        await link.close()


async def test_messages_leave_in_their_order() -> None:
    """Answers, events and the caller's audio, whoever waits for them or not."""
    async with running() as (outbox, session, link):
        link.feed(b"12")
        outbox.put(Answer((ANSWER,)))
        outbox.put(HELLO)
        outbox.put(Release())
        await outbox.send(SPEAK)

        assert session.told == [Answers((ANSWER,)), HELLO, b"12", SPEAK]


async def test_whoever_waits_learns_what_became_of_it() -> None:
    """An error is theirs, and the outbox goes on."""
    async with running() as (outbox, session, _):
        session.refuse(HELLO, UnsupportedConfig("no words for that"))
        with pytest.raises(UnsupportedConfig):
            await outbox.send(HELLO)
        await outbox.send(SPEAK)

        assert session.told == [SPEAK]


async def test_an_error_of_somebodys_own_is_theirs_too() -> None:
    """A client event that cannot be written ends nothing but itself."""
    async with running() as (outbox, session, _):
        session.refuse(HELLO, TypeError("not JSON"))
        with pytest.raises(TypeError):
            await outbox.send(HELLO)
        await outbox.send(SPEAK)

        assert session.told == [SPEAK]


async def test_a_message_that_meets_no_session_goes_with_it(
    caplog: pytest.LogCaptureFixture,
) -> None:
    """It was for the one that is gone; the log says what happened, not what was said."""
    async with running() as (outbox, session, _):
        outbox.put(HELLO)
        session.drop()
        with caplog.at_level(logging.INFO):
            await turns()

        assert session.told == []
        assert "a message was not sent: NotConnected" in caplog.text
        assert "hello" not in caplog.text


async def test_nobody_waits_for_a_message_that_cannot_be_sent() -> None:
    """Without a session, and after the end."""
    async with running() as (outbox, session, _):
        outbox.close()
        with pytest.raises(NotConnected):
            await outbox.send(HELLO)
        session.drop()
        with pytest.raises(NotConnected):
            await outbox.send(HELLO)


async def test_the_end_is_told_to_those_who_wait() -> None:
    """Nothing is sent any more, and nothing is kept."""
    async with running() as (outbox, session, _):
        sending = asyncio.create_task(outbox.send(HELLO))
        await asyncio.sleep(0)
        outbox.close()
        outbox.put(SPEAK)
        await turns()

        with pytest.raises(SessionClosed):
            await sending
        assert session.told == []


async def test_a_message_in_the_middle_of_the_end_is_told_too() -> None:
    """A session that hangs lets nobody hang with it."""
    async with running() as (outbox, session, _):
        session.send_gate = Gate()
        sending = asyncio.create_task(outbox.send(HELLO))
        await turns()
        outbox.close()

    with pytest.raises(SessionClosed):
        await sending


async def test_whoever_stops_waiting_stops_nothing() -> None:
    """The message is on its way."""
    async with running() as (outbox, session, _):
        sending = asyncio.create_task(outbox.send(HELLO))
        await asyncio.sleep(0)
        sending.cancel()
        await turns()

        assert session.told == [HELLO]


async def test_our_own_mistake_is_raised() -> None:
    """A message that nobody but us made must not vanish in a log."""
    model = FakeModel()
    link = Link(model, lambda _: None)
    await link.open(RealtimeConfig(), Resumption())
    outbox = Outbox(link)
    model.session.refuse(STOP, TypeError("not JSON"))
    outbox.put(STOP)

    with pytest.raises(TypeError):
        await outbox.run()
    await link.close()
