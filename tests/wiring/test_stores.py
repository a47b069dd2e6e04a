"""The settings name a store."""

from __future__ import annotations

from pathlib import Path

import pytest

from bridge.config import Config
from bridge.errors import ConfigError, StoreError
from bridge.ports.store import CallRecord
from bridge.store.memory import MemoryStore
from bridge.store.redis.store import RedisStore
from bridge.store.sheltered import ShelteredStore
from bridge.telemetry.metrics import Metrics
from bridge.wiring.stores import sheltered_store_of, store_of


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


async def test_for_serving_it_is_measured_and_sheltered(tmp_path: Path) -> None:
    """What Redis does not take in, the machine's journal does, and both are counted."""
    metrics = Metrics()
    environ = {
        "REDIS_URL": "redis://127.0.0.1:1",
        "BRIDGE_SECRET_KEY": "k" * 32,
        "BRIDGE_JOURNAL_DIR": str(tmp_path),
    }
    store = sheltered_store_of(config(**environ), lambda: 0.0, metrics)

    with pytest.raises(StoreError):
        await store.expect(CallRecord("CA1"))

    assert isinstance(store, ShelteredStore)
    await store.close()
    page = metrics.render()[0].decode()
    assert 'bridge_journal_records_total{outcome="written"} 1.0' in page
    assert 'operation="expect",outcome="unavailable"} 1.0' in page
    assert len(list(tmp_path.rglob("*"))) == 2  # the private folder and the call


async def test_no_journal_where_nobody_wants_one(tmp_path: Path) -> None:
    environ = {
        "REDIS_URL": "redis://127.0.0.1:1",
        "BRIDGE_SECRET_KEY": "k" * 32,
        "BRIDGE_JOURNAL_DIR": "off",
    }
    metrics = Metrics()
    store = sheltered_store_of(config(**environ), lambda: 0.0, metrics)

    with pytest.raises(StoreError):
        await store.expect(CallRecord("CA1"))

    await store.close()
    assert 'outcome="written"' not in metrics.render()[0].decode()


async def test_the_memory_needs_no_shelter() -> None:
    """It goes with the process, and so does everything."""
    store = sheltered_store_of(config(), lambda: 0.0, Metrics())

    assert isinstance(store, MemoryStore)
