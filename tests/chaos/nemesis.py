"""
What is done to a bridge. Each fault is over, and mended where it can be, when it returns.

Nobody is killed while somebody else is away: what is promised needs one worker that lives.
"""

from __future__ import annotations

import asyncio
import random
import signal
from collections.abc import Awaitable, Callable

from tests.chaos.stage import Stage

__all__ = ["FAULTS", "REDIS_SECONDS", "Nemesis"]

HANG_SECONDS = 4.0
REDIS_SECONDS = 3.0
FAILOVER_SECONDS = 6.0
REMEMBERED_SECONDS = 2.0  # in which workers have told an empty Redis all that they know
CUT_GROUPS = 4  # of calls, whose carrier's sockets are cut in turns
DROPPED = 0.5  # of the provider's sessions


class Nemesis:
    """Does one thing after the other; `dice` decides what is left to chance."""

    def __init__(
        self, stage: Stage, dice: random.Random, *, redis_seconds: float = REDIS_SECONDS
    ) -> None:
        self._redis_seconds = redis_seconds
        self._stage = stage
        self._dice = dice
        self._victim = -1
        self._group = -1

    async def kill(self) -> None:
        """A worker is killed (kill -9). The next one is another's turn."""
        await self._stage.fleet.complete()
        victim = self._next_victim()
        self._stage.fleet.signal(victim, signal.SIGKILL)
        await self._stage.fleet.gone(victim)

    async def stop(self) -> None:
        """A worker is told to stop (SIGTERM), and the next thing happens when it is gone."""
        await self._stage.fleet.complete()
        victim = self._next_victim()
        self._stage.fleet.signal(victim, signal.SIGTERM)
        await self._stage.fleet.gone(victim)

    async def hang(self) -> None:
        """A worker hangs (SIGSTOP) for so long that it has lost its calls when it goes on."""
        await self._stage.fleet.complete()
        victim = self._next_victim()
        self._stage.fleet.signal(victim, signal.SIGSTOP)
        await asyncio.sleep(HANG_SECONDS)
        self._stage.fleet.signal(victim, signal.SIGCONT)

    async def redis(self) -> None:
        """Redis is killed and comes back; whether with its data is its own affair."""
        await asyncio.to_thread(self._stage.redis.kill)
        await asyncio.sleep(self._redis_seconds)
        await asyncio.to_thread(self._stage.redis.start)
        await asyncio.sleep(REMEMBERED_SECONDS)

    async def redis_then_kill(self) -> None:
        """The same, and then a worker is killed: others must know its calls."""
        await self.redis()
        await self.kill()

    async def redis_hangs(self) -> None:
        """Redis answers nothing for a while (SIGSTOP)."""
        self._stage.redis.freeze()
        await asyncio.sleep(self._redis_seconds)
        self._stage.redis.thaw()
        await asyncio.sleep(REMEMBERED_SECONDS)

    async def failover(self) -> None:
        """The primary is killed, the Sentinels find another, and then a worker is killed."""
        await asyncio.to_thread(self._stage.redis.kill)
        await asyncio.sleep(FAILOVER_SECONDS)
        await self.kill()

    async def provider(self) -> None:
        """The provider breaks half of its sockets."""
        self._stage.provider.drop(DROPPED, self._dice.randrange(1_000_000))

    async def carrier(self) -> None:
        """A quarter of the calls lose their media sockets, at the carrier's end."""
        self._group = (self._group + 1) % CUT_GROUPS
        for caller in self._stage.callers:
            if caller.number % CUT_GROUPS == self._group:
                caller.cut_line()

    def _next_victim(self) -> int:
        self._victim = (self._victim + 1) % self._stage.fleet.count
        return self._victim


FAULTS: dict[str, Callable[[Nemesis], Awaitable[None]]] = {
    "kill": Nemesis.kill,
    "stop": Nemesis.stop,
    "hang": Nemesis.hang,
    "redis": Nemesis.redis,
    "redis+kill": Nemesis.redis_then_kill,
    "redis-hang": Nemesis.redis_hangs,
    "failover": Nemesis.failover,
    "provider": Nemesis.provider,
    "carrier": Nemesis.carrier,
}
