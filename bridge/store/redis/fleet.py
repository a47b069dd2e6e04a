"""
What the workers know of each other, in Redis.

Rule: on a connection of its own, so that whoever counts workers is not in the way of calls.
"""

from __future__ import annotations

import asyncio
import dataclasses
import json
import time
from collections.abc import Collection, Sequence
from typing import Any, Self

from bridge.errors import StoreError
from bridge.ports.fleet import Holding, Member, Pulse
from bridge.ports.store import CallState
from bridge.store.fleet import KEPT, LEFT, RESCUES
from bridge.store.redis.address import Cluster, read_address
from bridge.store.redis.cluster import Command
from bridge.store.redis.connection import Connection
from bridge.store.redis.fleet_scripts import BEAT, HOLDING, MEMBERS, RESERVE
from bridge.store.redis.index import CallIndex
from bridge.store.redis.keys import SHARDS, WORKERS, Keys, index_key, ms, rescue_key
from bridge.store.redis.scripts import Script

__all__ = ["RedisFleet"]

SECONDS = 1.0  # for one question; nobody's audio waits for the answer
CHUNK = 200  # calls that are looked at in one go, so that the loop gets its turn between
MOST_ADRIFT = 50  # calls that one look finds; the next look finds the others


class RedisFleet:
    """Behind the door Fleet. `servers` are keys that lie on each server that matters."""

    def __init__(self, connection: Connection, servers: Sequence[str] = (WORKERS[0],)) -> None:
        self._connection = connection
        self.servers = servers
        self._index = CallIndex(connection, time.time, KEPT)

    @classmethod
    def at(cls, url: str) -> Self:
        """The fleet at REDIS_URL, inside a running loop. Raises ConfigError; connects later."""
        address = read_address(url)
        if isinstance(address, Cluster):
            return cls(Connection(address), [index_key(shard) for shard in range(SHARDS)])
        return cls(Connection(address))

    async def beat(self, pulse: Pulse) -> None:
        await self._heard(pulse, 0.0)

    async def leave(self, pulse: Pulse) -> None:
        await self._heard(pulse, LEFT)

    async def members(self) -> Sequence[Member]:
        answer = await self._run(MEMBERS, WORKERS, ())
        told = zip(answer[::2], answer[1::2], strict=True)
        return [
            Member(pulse, int(silent) / 1000)
            for text, silent in told
            if (pulse := _pulse(text)) is not None
        ]

    async def mark(self) -> str:
        asked = (self._connection.ask(key, ("INFO", "server"), SECONDS) for key in self.servers)
        return " ".join(str(answer.get("run_id")) for answer in await asyncio.gather(*asked))

    async def holding(self, call_id: str) -> Holding | None:
        answer = await self._run(HOLDING, (Keys.of(call_id).call,), ())
        return _holding(call_id, answer) if answer else None

    async def adrift(self, gone: Collection[str]) -> Sequence[Holding]:
        owners = {worker.encode() for worker in gone}
        listed = await self._index.calls()
        found: list[str] = []
        for at in range(0, len(listed), CHUNK):
            found += await self._suspects(listed[at : at + CHUNK], owners)
            if len(found) >= MOST_ADRIFT:
                break
        holdings = [await self.holding(each) for each in found[:MOST_ADRIFT]]
        return [holding for holding in holdings if holding is not None]

    async def reserve(self, call_id: str, attempt: str, seconds: float) -> int:
        args = (attempt, ms(seconds), ms(RESCUES))
        return int(await self._run(RESERVE, (rescue_key(call_id),), args))

    async def close(self) -> None:
        await self._connection.close()

    async def _suspects(self, call_ids: Sequence[str], owners: Collection[bytes]) -> list[str]:
        asked: list[Command] = [
            ("HMGET", Keys.of(each).call, "state", "owner") for each in call_ids
        ]
        answers = await self._connection.ask_all(asked, SECONDS)
        return [
            call_id
            for call_id, (state, owner) in zip(call_ids, answers, strict=True)
            if state == b"waiting" or (state == b"live" and owner in owners)
        ]

    async def _heard(self, pulse: Pulse, silent_seconds: float) -> None:
        told = json.dumps(dataclasses.asdict(pulse))
        args = (pulse.worker, told, ms(silent_seconds), ms(KEPT))
        await self._run(BEAT, WORKERS, args)

    async def _run(
        self, script: Script, keys: Sequence[str], args: Sequence[str | bytes | int]
    ) -> Any:
        return await self._connection.run(script, keys, args, SECONDS)


def _pulse(text: bytes) -> Pulse | None:
    """What another version told is read as far as it is understood, or passed over."""
    names = {field.name for field in dataclasses.fields(Pulse)}
    try:
        fields = json.loads(text)
        return Pulse(**{name: value for name, value in fields.items() if name in names})
    except (ValueError, TypeError, AttributeError):
        return None


def _holding(call_id: str, answer: Sequence[Any]) -> Holding:
    state, fence, owner, leased, shown, asked, carrier = answer
    try:
        standing = CallState(state.decode())
    except ValueError:
        raise StoreError("a call stands in a way that this version does not know") from None
    return Holding(
        call_id,
        standing,
        int(fence),
        owner.decode(),
        bool(leased),
        int(shown) if shown else None,
        int(asked) / 1000 if asked else None,
        carrier.decode(),
    )
