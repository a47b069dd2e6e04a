"""Numbers for those who asked for an update, until they know what became of it."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable

from bridge.errors import RealtimeError
from bridge.runner.vocabulary import UpdateResult

__all__ = ["Tickets"]


class Tickets:
    """Whoever waits may stop waiting; what is settled twice was settled the first time."""

    def __init__(self) -> None:
        self._waiting: dict[int, asyncio.Future[UpdateResult]] = {}
        self._last = 0

    def draw(self) -> int:
        """A new number."""
        self._last += 1
        self._waiting[self._last] = asyncio.get_running_loop().create_future()
        return self._last

    async def result(self, ticket: int) -> UpdateResult:
        """What became of it. Raises the error with which it was rejected."""
        try:
            return await self._waiting[ticket]
        finally:
            del self._waiting[ticket]

    def settle(
        self, tickets: Iterable[int], result: UpdateResult, error: RealtimeError | None = None
    ) -> None:
        """Tell what became of these."""
        for ticket in tickets:
            answer = self._waiting.get(ticket)
            if answer is None or answer.done():
                continue
            if result is UpdateResult.REJECTED:
                answer.set_exception(error or RealtimeError("the update was rejected"))
            else:
                answer.set_result(result)

    def reject_all(self, error: RealtimeError) -> None:
        self.settle(tuple(self._waiting), UpdateResult.REJECTED, error)
