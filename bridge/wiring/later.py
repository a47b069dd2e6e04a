"""A carrier's switch that is seldom asked anything, and is made when that happens."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from bridge.ports.exchange import Exchange, Progress

__all__ = ["LaterExchange"]


class LaterExchange:
    """
    Behind the door Exchange. `enter` makes the one that is asked, once, in a thread: its
    libraries take some tenths of a second, and there are calls meanwhile.
    """

    def __init__(self, enter: Callable[[], Exchange]) -> None:
        self._enter = enter
        self._entering = asyncio.Lock()
        self._exchange: Exchange | None = None

    async def progress(self, call_id: str) -> Progress:
        return await (await self._entered()).progress(call_id)

    async def ask_again(self, call_id: str, path: str) -> bool:
        return await (await self._entered()).ask_again(call_id, path)

    async def close(self) -> None:
        if self._exchange is not None:
            await self._exchange.close()

    async def _entered(self) -> Exchange:
        async with self._entering:
            if self._exchange is None:
                self._exchange = await asyncio.to_thread(self._enter)
            return self._exchange
