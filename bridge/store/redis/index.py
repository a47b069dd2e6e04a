"""
The list of calls: which ids are worth a look, on all workers.

Rule: the list is a hint and never trusted. What a call is like is read from the call itself;
a call that is missing here goes on, and one that is here too long is found to be over. So
nobody waits for the list: it is written behind everybody's back.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable, Sequence

from bridge.errors import StoreError
from bridge.store.redis.cluster import Command
from bridge.store.redis.connection import Connection
from bridge.store.redis.keys import SHARDS, index_key, shard_of

__all__ = ["CallIndex"]

WRITE_SECONDS = 1.0
READ_SECONDS = 2.0
LONGEST_SHARD = 1_000  # calls of one part of the list that are shown
LONGEST_QUEUE = 20_000  # calls that may wait to be written


class CallIndex:
    """`wall` gives Unix time in seconds; `kept` is for how long a call is listed."""

    def __init__(self, connection: Connection, wall: Callable[[], float], kept: float) -> None:
        self._connection = connection
        self._wall = wall
        self._kept = kept
        self._waiting: dict[str, bool] = {}
        self._writing: asyncio.Task[None] | None = None

    def add(self, call_id: str) -> None:
        self._note(call_id, listed=True)

    def remove(self, call_id: str) -> None:
        self._note(call_id, listed=False)

    async def calls(self) -> Sequence[str]:
        """Ids of calls that may be in progress. Raises StoreError."""
        if self._writing is not None:
            await asyncio.wait([self._writing])
        now = str(int(self._wall() * 1000))
        ranges: list[Command] = [
            ("ZRANGEBYSCORE", index_key(shard), now, "+inf", "LIMIT", 0, LONGEST_SHARD)
            for shard in range(SHARDS)
        ]
        answers = await self._connection.ask_all(ranges, READ_SECONDS)
        return [call_id.decode() for answer in answers for call_id in answer]

    async def close(self) -> None:
        if self._writing is not None:
            self._writing.cancel()
            await asyncio.gather(self._writing, return_exceptions=True)

    def _note(self, call_id: str, *, listed: bool) -> None:
        if len(self._waiting) < LONGEST_QUEUE or call_id in self._waiting:
            self._waiting[call_id] = listed
        if self._writing is None:
            self._writing = asyncio.get_running_loop().create_task(self._write(), name="index")

    async def _write(self) -> None:
        try:
            while self._waiting:
                written, self._waiting = self._waiting, {}
                try:
                    commands = list(self._commands(written.items()))
                    await self._connection.ask_all(commands, WRITE_SECONDS)
                except StoreError:
                    # The next call that has something to say tries again for all of them.
                    self._waiting = written | self._waiting
                    return
        finally:
            self._writing = None

    def _commands(self, changes: Iterable[tuple[str, bool]]) -> Iterable[Command]:
        now = int(self._wall() * 1000)
        kept = int(self._kept * 1000)
        touched = set()
        for call_id, listed in changes:
            key = index_key(shard_of(call_id))
            if listed:
                yield "ZADD", key, now + kept, call_id
            else:
                yield "ZREM", key, call_id
            touched.add(key)
        for key in touched:
            yield "ZREMRANGEBYSCORE", key, "-inf", now
            yield "PEXPIRE", key, 2 * kept
