"""The journal of tools in Redis, where the next worker finds it."""

from __future__ import annotations

from bridge.errors import StoreError
from bridge.ports.store import Claim
from bridge.ports.tools import Found, ToolState
from bridge.store.redis import scripts
from bridge.store.redis.connection import Connection
from bridge.store.redis.keys import Keys, Times, ms
from bridge.store.redis.mapping import Sealed

__all__ = ["RedisJournal"]


class RedisJournal:
    """Behind the door StoredJournal. Results are sealed."""

    def __init__(self, connection: Connection, sealed: Sealed, times: Times) -> None:
        self._connection = connection
        self._sealed = sealed
        self._times = times

    async def begin(self, claim: Claim, tool_call_id: str) -> Found:
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
            case b"MISSING":
                raise StoreError("the call is not stored, and so it has no journal")
            case _:
                return Found(ToolState.NEW)

    async def done(self, claim: Claim, tool_call_id: str, result: bytes) -> None:
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
        return ms(self._times.kept)
