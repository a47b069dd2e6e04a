"""What others want of a call is done once, in order, and kept before it is signed for."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from bridge.errors import ServerError
from bridge.ports import leg
from bridge.ports.mail import ChangeWish
from bridge.store.memory import MemoryStore
from bridge.wiring.letters import Letters
from tests.store.contract import claimed
from tests.store.mail_contract import wish
from tests.wiring.parts import CALL, until


class Holder:
    """Holds a call; grants every wish but those that it refuses."""

    def __init__(self, *refused: ChangeWish) -> None:
        self.store = MemoryStore(asyncio.get_running_loop().time)
        self.granted: list[ChangeWish] = []
        self.lost = 0
        self._refused = refused

    async def grant(self, granted: ChangeWish) -> None:
        if granted in self._refused:
            raise ServerError("bad_voice", "there is no such voice")
        self.granted.append(granted)

    def loses(self) -> None:
        self.lost += 1

    @asynccontextmanager
    async def reading(self) -> AsyncIterator[Letters]:
        claim = await claimed(self.store, CALL)
        async with Letters(self.store.mailbox, claim, self.grant, self.loses) as letters:
            yield letters

    async def post(self, text: str) -> None:
        await self.store.mailbox.post(CALL, text, wish(text))


async def test_what_waits_is_done_at_once() -> None:
    """And what comes later when somebody says so; nothing twice."""
    holder = Holder()
    await claimed(holder.store, CALL)
    await holder.post("a")
    async with holder.reading() as letters:
        await until(lambda: len(holder.granted) == 1)
        await holder.post("b")
        letters.look()
        await until(lambda: len(holder.granted) == 2)

    async with holder.reading():
        await holder.post("c")

    assert holder.granted == [wish("a"), wish("b")]


async def test_what_is_refused_does_not_keep_others_waiting() -> None:
    holder = Holder(wish("a"))
    await claimed(holder.store, CALL)
    await holder.post("a")
    await holder.post("b")
    async with holder.reading():
        await until(lambda: holder.granted)

    assert holder.granted == [wish("b")]


async def test_a_call_that_was_ended_elsewhere_is_let_go_of() -> None:
    holder = Holder()
    async with holder.reading() as letters:
        await holder.store.end(CALL, leg.Hangup())
        letters.look()
        await until(lambda: holder.lost)

    assert holder.lost == 1
