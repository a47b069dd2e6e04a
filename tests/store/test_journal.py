"""The journal of tools in memory."""

from __future__ import annotations

import asyncio

import pytest

from bridge.ports import leg
from bridge.ports.tools import Found, ToolState
from bridge.store.journal import MOST_TOOLS
from bridge.store.memory import MemoryStore
from tests.store.contract import claimed
from tests.store.journal_contract import JournalContract


@pytest.fixture
async def store() -> MemoryStore:
    return MemoryStore(asyncio.get_running_loop().time)


class TestMemoryJournal(JournalContract):
    """It keeps every promise of the door."""


async def test_it_is_bounded(store: MemoryStore) -> None:
    """Of many calls of tools the oldest are forgotten."""
    claim = await claimed(store, "CA1")
    for number in range(MOST_TOOLS + 1):
        await store.tools.begin(claim, str(number))
        await store.tools.done(claim, str(number), b"result")

    assert await store.tools.begin(claim, "1") == Found(ToolState.DONE, b"result")
    assert await store.tools.begin(claim, "0") == Found(ToolState.NEW)


async def test_nothing_is_left_of_a_call_that_is_over(store: MemoryStore) -> None:
    """Though the call itself is remembered for a while."""
    claim = await claimed(store, "CA1")
    await store.tools.begin(claim, "t1")

    await store.end("CA1", leg.Hangup(), claim=claim)

    assert store.tools._calls == {}
