"""The journal of tools in Redis."""

from __future__ import annotations

from bridge.store.redis.store import RedisStore
from tests.fakes.redis_server import RedisServer
from tests.store.contract import claimed
from tests.store.journal_contract import JournalContract

SECRET = b"the caller's number"


class TestRedisJournal(JournalContract):
    """It keeps every promise of the door."""


async def test_results_are_sealed(store: RedisStore, server: RedisServer) -> None:
    """Whoever can look into Redis sees that a tool was used, and nothing of what it said."""
    claim = await claimed(store, "CA1")
    await store.tools.begin(claim, "t1")

    await store.tools.done(claim, "t1", SECRET)

    kept = server.raw("HGETALL", "tb:{CA1}:tools")
    assert "t1" in str(kept)
    assert SECRET.decode() not in str(kept)
