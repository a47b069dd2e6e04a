"""The settings name a store."""

from __future__ import annotations

import pytest

from bridge.config import Config
from bridge.errors import ConfigError
from bridge.store.memory import MemoryStore
from bridge.store.redis.store import RedisStore
from bridge.wiring.stores import store_of


def config(**environ: str) -> Config:
    return Config.from_environ(environ)


async def test_without_redis_it_is_the_memory() -> None:
    """Enough for one worker."""
    assert isinstance(store_of(config(), lambda: 0.0), MemoryStore)


async def test_with_redis_it_is_redis() -> None:
    """Nothing is asked of it yet: a worker starts without it, too."""
    store = store_of(
        config(REDIS_URL="redis://127.0.0.1:1", BRIDGE_SECRET_KEY="k" * 32), lambda: 0.0
    )

    assert isinstance(store, RedisStore)
    await store.close()


async def test_redis_needs_a_key() -> None:
    """What is stored there is sealed."""
    with pytest.raises(ConfigError, match="BRIDGE_SECRET_KEY"):
        store_of(config(REDIS_URL="redis://127.0.0.1:1"), lambda: 0.0)
