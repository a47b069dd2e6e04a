"""The operator is told how Redis is, and what to mend."""

from __future__ import annotations

from dataclasses import replace

import pytest

from bridge.store.redis.condition import Condition
from bridge.store.redis.store import RedisStore
from tests.fakes.redis_server import RedisServer

WELL = Condition("7.2.4", "master", "noeviction", 1, persistent=True, answers_in=0.001)


def test_there_is_nothing_to_mend() -> None:
    assert WELL.advice == ()


@pytest.mark.parametrize(
    ("condition", "advice"),
    [
        (replace(WELL, version="6.0.16"), "older than 6.2"),
        (replace(WELL, eviction="volatile-lru"), "maxmemory-policy is volatile-lru"),
        (replace(WELL, role="slave"), "a replica"),
        (replace(WELL, replicas=0, persistent=False), "neither a replica nor a file"),
    ],
)
def test_what_there_is_to_mend(condition: Condition, advice: str) -> None:
    [sentence] = condition.advice

    assert advice in sentence


async def test_a_real_one(server: RedisServer, store: RedisStore) -> None:
    """A test's server, which keeps nothing."""
    condition = await store.condition()

    assert (condition.role, condition.eviction, condition.replicas) == ("master", "noeviction", 0)
    assert int(condition.version.split(".")[0]) >= 6
    assert 0 < condition.answers_in < 2
    assert len(condition.advice) == 1
