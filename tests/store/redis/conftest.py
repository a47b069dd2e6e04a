"""One Redis server for the tests of this directory; those that break theirs start their own."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator

import pytest

from bridge.store.redis.keys import Times
from bridge.store.redis.store import RedisStore
from bridge.store.sealing import Seal
from tests.fakes.redis_server import RedisServer

KEY = b"a key of the operator's"
PATIENT = Times(answer=5.0, claim=5.0, claim_again=5.0)
"""For tests that are not about time, on machines that are busy."""


@pytest.fixture(scope="session")
def shared_server() -> Iterator[RedisServer]:
    with RedisServer() as server:
        yield server


@pytest.fixture
def server(shared_server: RedisServer) -> RedisServer:
    """Empty."""
    shared_server.raw("FLUSHALL")
    return shared_server


@pytest.fixture
async def store(server: RedisServer) -> AsyncIterator[RedisStore]:
    store = RedisStore.at(server.url, Seal([KEY]), times=PATIENT)
    yield store
    await store.close()
