"""
The journal of a call's tools, so that a tool that acted on the world is not run twice.

It is told before a tool runs and when it has answered. Whoever takes the call over finds out
which tools were begun: what has answered is known, and of the others nobody knows.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum

from bridge.ports.store import Claim
from bridge.store.redis import scripts
from bridge.store.redis.connection import Connection
from bridge.store.redis.keys import Keys, Times
from bridge.store.redis.mapping import Sealed

__all__ = ["Found", "ToolJournal", "ToolState"]


class ToolState(StrEnum):
    """What the journal knows of a tool call."""

    NEW = "new"
    """Nobody else has begun it: run the tool."""
    BEGUN = "begun"
    """An earlier holder has begun it, and nobody knows how it went."""
    DONE = "done"
    FENCED = "fenced"
    """The call is no longer ours: do not run the tool."""


@dataclass(frozen=True, slots=True)
class Found:
    state: ToolState
    result: bytes | None = field(default=None, repr=False)
    """What the tool answered, if it is DONE."""


class ToolJournal:
    """Every method raises StoreError."""

    def __init__(self, connection: Connection, sealed: Sealed, times: Times) -> None:
        self._connection = connection
        self._sealed = sealed
        self._times = times

    async def begin(self, claim: Claim, tool_call_id: str) -> Found:
        """A tool is about to run. Asked again by the same holder, it is still NEW."""
        keys = Keys.of(claim.call_id)
        answer = await self._connection.run(
            scripts.TOOL_BEGIN,
            (keys.call, keys.tools),
            (claim.fence, claim.claim_id, tool_call_id, self._ttl),
            self._times.answer,
        )
        match answer[0]:
            case b"BEGUN":
                return Found(ToolState.BEGUN)
            case b"DONE":
                place = f"tool:{tool_call_id}"
                result = self._sealed.read_text(claim.call_id, answer[1], place)
                return Found(ToolState.DONE, result)
            case b"FENCED":
                return Found(ToolState.FENCED)
            case _:  # a call that is not stored yet, or no more, has no journal either
                return Found(ToolState.NEW)

    async def done(self, claim: Claim, tool_call_id: str, result: bytes) -> None:
        """It has answered; whoever holds the call by now would rather know."""
        keys = Keys.of(claim.call_id)
        sealed = self._sealed.text(claim.call_id, result, f"tool:{tool_call_id}")
        await self._connection.run(
            scripts.TOOL_DONE,
            (keys.call, keys.tools),
            (tool_call_id, sealed, self._ttl),
            self._times.answer,
        )

    @property
    def _ttl(self) -> int:
        return round(self._times.kept * 1000)
