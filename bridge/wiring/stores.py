"""
Which store the settings name.

Rule: Redis's room is entered only when it is the one.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from bridge.config import Config
from bridge.ports.store import CallStore
from bridge.store.memory import MemoryStore
from bridge.telemetry.metrics import Metrics

if TYPE_CHECKING:
    from bridge.store.redis.store import RedisStore
    from bridge.store.sealing import Seal

__all__ = ["sheltered_store_of", "store_of"]


def store_of(config: Config, clock: Callable[[], float]) -> RedisStore | MemoryStore:
    """
    Redis at REDIS_URL, else the memory of this process, which `clock` (monotonic) keeps tidy.

    Inside a running loop. Raises ConfigError where the address or the key does not do;
    whether Redis is there, the first call will tell.
    """
    if config.redis_url is None:
        return MemoryStore(clock)
    from bridge.store.redis.store import RedisStore

    return RedisStore.at(config.redis_url.reveal(), _seal_of(config))


def sheltered_store_of(config: Config, clock: Callable[[], float], metrics: Metrics) -> CallStore:
    """As `store_of`, for serving: Redis measured, and sheltered by this machine's journal."""
    store = store_of(config, clock)
    if isinstance(store, MemoryStore):
        return store
    from bridge.store.local import LocalJournal, private_folder
    from bridge.store.sheltered import ShelteredStore
    from bridge.wiring.measured import MeasuredStore

    parent = config.journal_dir
    folder = None if parent is None else private_folder(parent)
    journal = LocalJournal(folder, _seal_of(config), count=metrics.journal_used)
    journal.sweep()
    return ShelteredStore(MeasuredStore(store, metrics), journal)


def _seal_of(config: Config) -> Seal:
    from bridge.store.sealing import Seal

    return Seal([key.reveal().encode() for key in config.secret_keys])
