"""What rescues are tried with: a switch worked by hand, and a fleet in memory that can be down."""

from __future__ import annotations

from collections.abc import Collection, Sequence

from bridge.errors import CarrierError, StoreError
from bridge.ports.exchange import Progress
from bridge.ports.fleet import Holding, Member, Pulse
from bridge.store.fleet import MemoryFleet

__all__ = ["FakeExchange", "MoodyFleet"]


class FakeExchange:
    """Remembers who was to ask again, and where."""

    def __init__(self) -> None:
        self.told: list[tuple[str, str]] = []
        self.over: set[str] = set()
        self.unknown: set[str] = set()
        self.down = False
        self.closed = False

    async def progress(self, call_id: str) -> Progress:
        self._works()
        if call_id in self.unknown:
            return Progress.UNKNOWN
        return Progress.OVER if call_id in self.over else Progress.TALKING

    async def ask_again(self, call_id: str, path: str) -> bool:
        self._works()
        if call_id in self.over | self.unknown:
            return False
        self.told.append((call_id, path))
        return True

    async def close(self) -> None:
        self.closed = True

    def _works(self) -> None:
        if self.down:
            raise CarrierError("the carrier does not answer")


class MoodyFleet:
    """A fleet that is `down` at times; `other` is the mark of another store."""

    def __init__(self, inner: MemoryFleet) -> None:
        self.down = False
        self.other = ""
        self.closed = False
        self.beats = 0
        self._inner = inner

    async def beat(self, pulse: Pulse) -> None:
        self._works()
        self.beats += 1
        await self._inner.beat(pulse)

    async def leave(self, pulse: Pulse) -> None:
        self._works()
        await self._inner.leave(pulse)

    async def members(self) -> Sequence[Member]:
        self._works()
        return await self._inner.members()

    async def mark(self) -> str:
        self._works()
        return self.other or await self._inner.mark()

    async def holding(self, call_id: str) -> Holding | None:
        self._works()
        return await self._inner.holding(call_id)

    async def adrift(self, gone: Collection[str]) -> Sequence[Holding]:
        self._works()
        return await self._inner.adrift(gone)

    async def reserve(self, call_id: str, attempt: str, seconds: float) -> int:
        self._works()
        return await self._inner.reserve(call_id, attempt, seconds)

    async def close(self) -> None:
        self.closed = True

    def _works(self) -> None:
        if self.down:
            raise StoreError("the store is down")
