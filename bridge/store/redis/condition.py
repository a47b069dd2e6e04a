"""How Redis is, as an operator wants to know it, and what there is to mend."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import Any

from bridge.store.redis.connection import Connection
from bridge.store.redis.keys import index_key

__all__ = ["OLDEST", "Condition", "examine"]

SECONDS = 2.0  # for the whole examination
OLDEST = (6, 2)  # version of Redis whose commands suffice

_KEEPS = "noeviction"


@dataclass(frozen=True, slots=True)
class Condition:
    """What Redis tells of itself."""

    version: str
    role: str
    eviction: str
    replicas: int
    persistent: bool
    """Whether it writes what it has to a disk."""
    answers_in: float
    """Seconds from a question to its answer."""

    @property
    def advice(self) -> tuple[str, ...]:
        """What could be better, a sentence each."""
        number = tuple(int(part) for part in self.version.split(".")[:2] if part.isdigit())
        found = {
            f"Redis {self.version} is older than 6.2": number < OLDEST,
            f"maxmemory-policy is {self.eviction}: a full Redis forgets live calls, which "
            f"{_KEEPS} does not": self.eviction != _KEEPS,
            "it is a replica and takes nothing in": self.role != "master",
            "it has neither a replica nor a file: restarted, it knows no call that waits": (
                not self.replicas and not self.persistent
            ),
        }
        return tuple(sentence for sentence, true in found.items() if true)


async def examine(connection: Connection) -> Condition:
    """In a cluster, one node of it. Raises StoreError."""
    began = time.monotonic()
    info: dict[str, Any] = await connection.ask(index_key(0), ("INFO",), SECONDS)
    took = time.monotonic() - began
    # -1: it has not written a snapshot since it was started.
    snapshots = info.get("rdb_last_bgsave_time_sec", -1) != -1
    return Condition(
        version=str(info.get("redis_version", "?")),
        role=str(info.get("role", "?")),
        eviction=str(info.get("maxmemory_policy", "?")),
        replicas=int(info.get("connected_slaves", 0)),
        persistent=bool(info.get("aof_enabled", 0)) or snapshots,
        answers_in=took,
    )
