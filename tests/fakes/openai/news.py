"""Waiting until something has happened, without asking over and over."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

__all__ = ["News"]


class News:
    """Whoever changes something tells; whoever waits looks again."""

    def __init__(self) -> None:
        self._waiters: list[asyncio.Future[None]] = []

    def tell(self) -> None:
        """Something has changed."""
        waiters, self._waiters = self._waiters, []
        for waiter in waiters:
            if not waiter.done():
                waiter.set_result(None)

    async def until(self, condition: Callable[[], bool]) -> None:
        """Wait until something happens that makes `condition` true."""
        while not condition():
            waiter = asyncio.get_running_loop().create_future()
            self._waiters.append(waiter)
            await waiter
