"""The mail of calls in memory."""

from __future__ import annotations

import asyncio

import pytest

from bridge.store.mail import MOST_LETTERS
from bridge.store.memory import MemoryStore
from tests.store.contract import claimed
from tests.store.mail_contract import MailContract, wish


@pytest.fixture
async def store() -> MemoryStore:
    return MemoryStore(asyncio.get_running_loop().time)


class TestMemoryMailbox(MailContract):
    """It keeps every promise of the door."""


async def test_a_box_is_not_endless(store: MemoryStore) -> None:
    """Nobody reads it: the oldest letters go."""
    claim = await claimed(store, "CA1")
    for number in range(MOST_LETTERS + 3):
        await store.mailbox.post("CA1", f"{number}", wish(f"{number}"))

    letters = await store.mailbox.read(claim)

    assert letters is not None
    assert len(letters) == MOST_LETTERS
    assert letters[0].wish == wish("3")
