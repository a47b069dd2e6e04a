"""A clock, and one Redis for all tests of stores; those that break theirs start their own."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from bridge.store.redis import clients
from tests.fakes.redis_server import RedisServer


class Clock:
    """Seconds, when somebody says so."""

    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture(scope="session")
def shared_server() -> Iterator[RedisServer]:
    with RedisServer() as server:
        yield server


@pytest.fixture
def server(shared_server: RedisServer, monkeypatch: pytest.MonkeyPatch) -> RedisServer:
    """Empty, and for tests that are not about time: a busy machine may take a while to connect."""
    monkeypatch.setattr(clients, "CONNECT_SECONDS", 5.0)
    monkeypatch.setattr(clients, "READ_SECONDS", 5.0)
    shared_server.raw("FLUSHALL")
    return shared_server
