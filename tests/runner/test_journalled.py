"""The journal as a live call can bear it."""

from __future__ import annotations

import asyncio
import logging

import pytest

from bridge.ports.tools import Found, ToolState
from bridge.runner.journalled import MOST_BEGUN, Journalled
from tests.runner.tooling import FakeJournal


async def test_it_tells_what_the_journal_says() -> None:
    journal = FakeJournal()
    journalled = Journalled(journal)

    assert await journalled.begin("c1") == Found(ToolState.NEW)
    await journalled.done("c1", b"result")
    assert await journalled.begin("c1") == Found(ToolState.DONE, b"result")
    assert journalled.failures == 0


async def test_a_journal_that_fails_is_done_without(caplog: pytest.LogCaptureFixture) -> None:
    """Each time is counted; the log has it once."""
    journal = FakeJournal()
    journal.down = True
    journalled = Journalled(journal)

    with caplog.at_level(logging.WARNING):
        found = await journalled.begin("c1")
        await journalled.done("c1", b"result")

    assert found is None
    assert journalled.failures == 2
    assert len(caplog.records) == 1


async def test_a_journal_that_is_broken_is_done_without() -> None:
    """It may be somebody's own, and the tool has to be answered."""

    class Broken(FakeJournal):
        async def begin(self, tool_call_id: str) -> Found:
            raise ZeroDivisionError

    journalled = Journalled(Broken())

    assert await journalled.begin("c1") is None
    assert journalled.failures == 1


async def test_a_journal_that_hangs_is_not_waited_for() -> None:
    """Not longer than it has."""
    journal = FakeJournal()
    journal.gate = asyncio.Event()
    journalled = Journalled(journal, seconds=0.01)

    async with asyncio.timeout(5):
        found = await journalled.begin("c1")

    assert found is None
    assert journalled.failures == 1


async def test_without_a_journal_there_is_nothing_to_ask() -> None:
    journalled = Journalled(None)

    assert not journalled.there
    assert await journalled.begin("c1") is None
    await journalled.done("c1", b"result")
    assert journalled.failures == 0


def test_what_was_begun_here_is_known_and_bounded() -> None:
    """The oldest go first."""
    journalled = Journalled(None)
    for number in range(MOST_BEGUN + 1):
        journalled.begins(str(number))

    assert not journalled.begun("0")
    assert journalled.begun("1")
    assert journalled.begun(str(MOST_BEGUN))
