"""A store on the server that all tests of stores share."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from bridge.store.redis.keys import Times
from bridge.store.redis.store import RedisStore
from bridge.store.sealing import Seal
from tests.fakes.redis_server import RedisServer

KEY = b"a key of the operator's"
PATIENT = Times(answer=5.0, claim=5.0, claim_again=5.0)
"""For tests that are not about time, on machines that are busy."""


@pytest.fixture
async def store(server: RedisServer) -> AsyncIterator[RedisStore]:
    store = RedisStore.at(server.url, Seal([KEY]), times=PATIENT)
    yield store
    await store.close()
