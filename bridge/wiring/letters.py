"""
Reads the mail of one call, and does what is wished in it.

Rule: a letter is acknowledged once what it asks for is done and kept. So a worker that dies
in between leaves it to the next one.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable
from types import TracebackType
from typing import Self

from bridge.errors import RealtimeError, StoreError
from bridge.ports.mail import ChangeWish
from bridge.ports.store import Claim, Mailbox

__all__ = ["Letters"]

PAUSE = 1.0  # seconds until a store that did not answer is asked again

_log = logging.getLogger(__name__)


class Letters:
    """
    `grant` does what a letter asks for; `lost` is told that the call is no longer ours.

    An asynchronous context manager: it reads at its beginning, whenever `look` is called,
    and not any more when it is left.
    """

    def __init__(
        self,
        mailbox: Mailbox,
        claim: Claim,
        grant: Callable[[ChangeWish], Awaitable[None]],
        lost: Callable[[], None],
    ) -> None:
        self._mailbox = mailbox
        self._claim = claim
        self._grant = grant
        self._lost = lost
        self._worth_a_look = asyncio.Event()
        self._reading: asyncio.Task[None] | None = None

    async def __aenter__(self) -> Self:
        self.look()
        self._reading = asyncio.create_task(self._read(), name="letters")
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        assert self._reading is not None
        reading, self._reading = self._reading, None
        reading.cancel()
        [failed] = await asyncio.gather(reading, return_exceptions=True)
        if isinstance(failed, Exception):
            _log.error("the call's mail was no longer read", exc_info=failed)

    def look(self) -> None:
        """There may be mail."""
        self._worth_a_look.set()

    async def _read(self) -> None:
        while True:
            await self._worth_a_look.wait()
            self._worth_a_look.clear()
            try:
                letters = await self._mailbox.read(self._claim)
                if letters is None:
                    self._lost()
                    return
                for letter in letters:
                    await self._try(letter.wish)
                    await self._mailbox.acknowledge(self._claim, letter.place)
            except StoreError:
                self.look()
                await asyncio.sleep(PAUSE)

    async def _try(self, wish: ChangeWish) -> None:
        try:
            await self._grant(wish)
        except RealtimeError as exc:
            _log.warning("a change that an operator asked for was refused: %s", exc)
