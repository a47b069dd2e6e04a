"""Whether this process itself gets its turn in time: a pulse that notes when it comes late."""

from __future__ import annotations

import asyncio
import time
from types import TracebackType
from typing import Self

__all__ = ["Pulse"]

BEAT_SECONDS = 0.02
STALL_SECONDS = 0.1


class Pulse:
    """Beats for as long as the block lasts. `stalls` are the times of beats that were late."""

    def __init__(self) -> None:
        self.stalls: list[float] = []
        self.worst = 0.0
        self._beating: asyncio.Task[None] | None = None

    async def __aenter__(self) -> Self:
        self._beating = asyncio.create_task(self._beat(), name="pulse")
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        assert self._beating is not None
        self._beating.cancel()
        await asyncio.gather(self._beating, return_exceptions=True)

    async def _beat(self) -> None:
        while True:
            due = time.monotonic() + BEAT_SECONDS
            await asyncio.sleep(BEAT_SECONDS)
            late = time.monotonic() - due
            self.worst = max(self.worst, late)
            if late > STALL_SECONDS:
                self.stalls.append(due + late)
