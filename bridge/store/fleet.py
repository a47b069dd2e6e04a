"""What the workers know of each other, in process memory: there is one, or a test's handful."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass

from bridge.ports.fleet import Holding, Member, Pulse
from bridge.ports.store import CallState
from bridge.store.memory import MemoryStore

__all__ = ["KEPT", "LEFT", "RESCUES", "MemoryFleet"]

KEPT = 3_600.0  # seconds for which a worker is remembered after it was last heard
LEFT = 600.0  # seconds for which a worker that said goodbye seems to have been silent
RESCUES = 300.0  # seconds over which the rescues of a call are counted


@dataclass(slots=True)
class _Rescue:
    attempt: str
    until: float
    count: int
    at: float


class MemoryFleet:
    """Those who share this store. `clock` gives seconds, monotonic; the same as the store's."""

    def __init__(self, store: MemoryStore, clock: Callable[[], float]) -> None:
        self._store = store
        self._clock = clock
        self._heard: dict[str, tuple[Pulse, float]] = {}
        self._rescues: dict[str, _Rescue] = {}

    async def beat(self, pulse: Pulse) -> None:
        self._hear(pulse, 0.0)

    async def leave(self, pulse: Pulse) -> None:
        self._hear(pulse, LEFT)

    async def members(self) -> Sequence[Member]:
        return [Member(pulse, self._clock() - at) for pulse, at in self._heard.values()]

    async def mark(self) -> str:
        return "memory"

    async def holding(self, call_id: str) -> Holding | None:
        return self._store.holding(call_id)

    async def adrift(self, gone: Collection[str]) -> Sequence[Holding]:
        holdings = [self._store.holding(call.call_id) for call in await self._store.calls()]
        return [
            holding
            for holding in holdings
            if holding is not None
            and (
                holding.state is CallState.WAITING
                or (holding.state is CallState.LIVE and holding.owner in gone)
            )
        ]

    async def reserve(self, call_id: str, attempt: str, seconds: float) -> int:
        now = self._clock()
        self._rescues = {
            rescued: rescue
            for rescued, rescue in self._rescues.items()
            if now - rescue.at < RESCUES
        }
        before = self._rescues.get(call_id, _Rescue("", now, 0, now))
        if before.attempt == attempt:
            return before.count
        if before.until > now:
            return 0
        self._rescues[call_id] = _Rescue(attempt, now + seconds, before.count + 1, now)
        return before.count + 1

    async def close(self) -> None:
        """Nothing to let go of."""

    def _hear(self, pulse: Pulse, silent_seconds: float) -> None:
        now = self._clock()
        self._heard[pulse.worker] = pulse, now - silent_seconds
        self._heard = {
            worker: (pulse, at) for worker, (pulse, at) in self._heard.items() if now - at < KEPT
        }
