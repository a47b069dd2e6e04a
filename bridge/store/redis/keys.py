"""
The names of what lies in Redis, and how long it stays.

Rule: all keys of a call have its id in braces, so that a cluster keeps them in one slot
and a script may use them together.
"""

from __future__ import annotations

import zlib
from dataclasses import dataclass
from typing import Self

__all__ = [
    "SHARDS",
    "WORKERS",
    "Keys",
    "Times",
    "alerts_key",
    "index_key",
    "ms",
    "rescue_key",
    "shard_of",
]

SHARDS = 16  # of the list of calls, so that no node of a cluster has to hold all of it
WORKERS = ("tb:{workers}:heard", "tb:{workers}:told")
"""A sorted set: id of a worker -> when it was last heard (ms); a hash: what it tells of itself."""


@dataclass(frozen=True, slots=True)
class Times:
    """Seconds."""

    kept: float = 3_600.0
    """For which a record is kept after its last write, and a call's end after it."""
    lease: float = 5.0
    """For which a write tells that the call's owner is alive."""
    window: float = 30.0
    """Over which a call's legs are counted."""
    mail: float = 600.0
    """For which a message to a call waits for somebody to read it."""
    answer: float = 0.3
    """For which we wait for Redis, whatever we ask."""
    claim: float = 0.5
    """For which we wait for a claim, because a caller's memory depends on it."""
    claim_again: float = 1.0
    """For which we wait when we ask for the same claim once more."""


@dataclass(frozen=True, slots=True)
class Keys:
    """The keys of one call."""

    call: str
    """A hash: who holds the call, how it stands, and its record without the conversation."""
    log: str
    """A hash: the conversation, number of an item -> item."""
    mail: str
    """A stream: what others want of the call."""
    seen: str
    """A hash: id of a message -> its place in the mail."""
    tools: str
    """A hash: id of a tool call -> what became of it."""

    @classmethod
    def of(cls, call_id: str) -> Self:
        base = _base(call_id)
        return cls(*(base + name for name in ("call", "log", "mail", "seen", "tools")))

    @property
    def claimed(self) -> tuple[str, str]:
        """What a claim reads."""
        return self.call, self.log


def alerts_key(worker: str) -> str:
    """A list: calls of this worker that somebody did something to."""
    return f"tb:alerts:{worker}"


def rescue_key(call_id: str) -> str:
    """A hash: who tries to bring the call back, until when nobody else does, and how often."""
    return f"{_base(call_id)}rescue"


def ms(seconds: float) -> int:
    """As Redis wants its times."""
    return round(seconds * 1000)


def shard_of(call_id: str) -> int:
    return zlib.crc32(call_id.encode()) % SHARDS


def index_key(shard: int) -> str:
    """A sorted set: id of a call -> until when it is worth a look (Unix time, ms). A hint."""
    return f"tb:calls:{shard}"


def _base(call_id: str) -> str:
    tag = call_id.replace("%", "%25").replace("}", "%7D")
    return f"tb:{{{tag}}}:"
