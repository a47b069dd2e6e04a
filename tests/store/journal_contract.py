"""
What every journal of tools promises, whatever it is made of.

Whoever stands behind the door inherits JournalContract and has a fixture `store`, the store
whose journal it is.
"""

from __future__ import annotations

import pytest

from bridge.errors import StoreError
from bridge.ports import leg
from bridge.ports.store import CallRecord, CallStore, Claim
from bridge.ports.tools import Found, ToolState
from tests.store.contract import claimed, new_id

__all__ = ["JournalContract"]

NEW, BEGUN, FENCED = Found(ToolState.NEW), Found(ToolState.BEGUN), Found(ToolState.FENCED)


def done(result: bytes) -> Found:
    return Found(ToolState.DONE, result)


class JournalContract:
    async def test_a_tool_runs_once(self, store: CallStore) -> None:
        """Its result is there for whoever holds the call next, and for its own holder."""
        call_id = new_id()
        first = await claimed(store, call_id)
        assert await store.tools.begin(first, "t1") == NEW
        await store.tools.done(first, "t1", b"seven to six")
        assert await store.tools.begin(first, "t1") == done(b"seven to six")

        second = await claimed(store, call_id)

        assert await store.tools.begin(second, "t1") == done(b"seven to six")
        assert await store.tools.begin(second, "t2") == NEW

    async def test_nobody_knows_how_it_went(self, store: CallStore) -> None:
        """The worker died while the tool was running; asking does not change that."""
        call_id = new_id()
        await store.tools.begin(await claimed(store, call_id), "t1")

        second = await claimed(store, call_id)
        assert await store.tools.begin(second, "t1") == BEGUN
        assert await store.tools.begin(second, "t1") == BEGUN

        third = await claimed(store, call_id)
        assert await store.tools.begin(third, "t1") == BEGUN

    async def test_the_answer_was_lost(self, store: CallStore) -> None:
        """Whoever asks again has not run it yet."""
        claim = await claimed(store, new_id())
        await store.tools.begin(claim, "t1")

        assert await store.tools.begin(claim, "t1") == NEW

    async def test_what_was_begun_before_can_be_done_now(self, store: CallStore) -> None:
        """It was run again, with the same key."""
        call_id = new_id()
        await store.tools.begin(await claimed(store, call_id), "t1")
        second = await claimed(store, call_id)
        await store.tools.begin(second, "t1")

        await store.tools.done(second, "t1", b"booked")

        assert await store.tools.begin(second, "t1") == done(b"booked")

    async def test_the_call_has_moved_on(self, store: CallStore) -> None:
        """A tool is not begun for a call of somebody else's; but a result is a result."""
        call_id = new_id()
        older = await claimed(store, call_id)
        await store.tools.begin(older, "t1")
        newer = await claimed(store, call_id)

        assert await store.tools.begin(older, "t2") == FENCED
        await store.tools.done(older, "t1", b"late")
        assert await store.tools.begin(newer, "t1") == done(b"late")

    async def test_a_call_without_its_leg_has_its_journal(self, store: CallStore) -> None:
        """What was under way when the leg was lost may still come to its end."""
        call_id = new_id()
        first = await claimed(store, call_id)
        await store.tools.begin(first, "t1")
        await store.release(first, CallRecord(call_id))
        await store.tools.done(first, "t1", b"late")

        second = await claimed(store, call_id)

        assert await store.tools.begin(second, "t1") == done(b"late")

    async def test_the_call_is_over(self, store: CallStore) -> None:
        """Nothing is begun any more, and nobody wants to know."""
        call_id = new_id()
        claim = await claimed(store, call_id)
        await store.tools.begin(claim, "t1")
        await store.end(call_id, leg.Hangup())

        assert await store.tools.begin(claim, "t2") == FENCED
        await store.tools.done(claim, "t1", b"late")
        assert await store.tools.begin(claim, "t1") == FENCED

    async def test_calls_do_not_know_each_other(self, store: CallStore) -> None:
        """Ids of tool calls may be equal."""
        one, other = await claimed(store, new_id()), await claimed(store, new_id())
        await store.tools.begin(one, "t1")
        await store.tools.done(one, "t1", b"one")

        assert await store.tools.begin(other, "t1") == NEW

    async def test_a_call_that_is_not_stored(self, store: CallStore) -> None:
        """The store was away when it came in, or has lost it: then nothing can be promised."""
        claim = Claim(new_id(), 7, "local", None)

        with pytest.raises(StoreError):
            await store.tools.begin(claim, "t1")
        await store.tools.done(claim, "t1", b"result")
