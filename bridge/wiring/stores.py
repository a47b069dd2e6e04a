"""Which store the settings name."""

from __future__ import annotations

from collections.abc import Callable

from bridge.config import Config
from bridge.ports.store import CallStore
from bridge.store.memory import MemoryStore
from bridge.store.redis.store import RedisStore
from bridge.store.sealing import Seal

__all__ = ["store_of"]


def store_of(config: Config, clock: Callable[[], float]) -> CallStore:
    """
    Redis at REDIS_URL, else the memory of this process, which `clock` (monotonic) keeps tidy.

    Inside a running loop. Raises ConfigError where the address or the key does not do;
    whether Redis is there, the first call will tell.
    """
    if config.redis_url is None:
        return MemoryStore(clock)
    seal = Seal([key.reveal().encode() for key in config.secret_keys])
    return RedisStore.at(config.redis_url.reveal(), seal)
