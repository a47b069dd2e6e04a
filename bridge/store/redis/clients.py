"""
redis-py's clients, one for each kind of address, behind one small door.

Rule: a client does what it is told once. It does not try again, and how long it may take is
not its business; its own time-outs only see to it that nothing stays open behind us.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any, Protocol

from redis.asyncio import BlockingConnectionPool, Redis, SSLConnection
from redis.asyncio import UnixDomainSocketConnection as LocalConnection
from redis.asyncio.connection import Connection
from redis.asyncio.retry import Retry
from redis.asyncio.sentinel import Sentinel, SentinelConnectionPool
from redis.backoff import NoBackoff

from bridge.store.redis.address import (
    Address,
    Cluster,
    Host,
    Login,
    Sentinels,
    Server,
    Socket,
    Tls,
)
from bridge.store.redis.cluster import ClusterClient, Command, together
from bridge.store.redis.convoy import Convoy

__all__ = ["MAX_CONNECTIONS", "Client", "open_client"]

MAX_CONNECTIONS = 64  # at once, to one server
CONNECT_SECONDS = 0.25
READ_SECONDS = 1.0  # for what a client asks on its own, such as where a slot is
SENTINEL_SECONDS = 0.25
IDLE_SECONDS = 15.0  # after which a connection is tried out before it is used


class Client(Protocol):
    """Every method that waits raises what redis-py raises."""

    def place(self, key: str | None) -> str:
        """Who is asked for this key: what fails together has one place. None: for all keys."""

    async def execute(self, key: str, command: Command) -> Any: ...

    async def execute_all(self, commands: Sequence[Command]) -> list[Any]:
        """
        In one round trip to each server. The key of each command is its first argument, and
        an answer may be an exception.
        """

    async def find(self) -> None:
        """Find out who is there, for an address that does not say it."""

    async def close(self) -> None: ...


def open_client(address: Address) -> Client:
    """Connects with the first command, not before."""
    match address:
        case Server():
            return _Single(Redis.from_pool(_pool(address.host, address, address.db)))
        case Socket():
            return _Single(Redis.from_pool(_socket_pool(address)))
        case Sentinels():
            return _Watched(address)
        case Cluster():
            return ClusterClient(address, lambda host: Redis.from_pool(_pool(host, address)))


class _Single:
    """One server."""

    def __init__(self, redis: Redis) -> None:
        self._redis = redis
        self._convoy = Convoy(partial(together, redis))

    def place(self, key: str | None) -> str:
        return ""

    async def execute(self, key: str, command: Command) -> Any:
        return await self._convoy.execute(command)

    async def execute_all(self, commands: Sequence[Command]) -> list[Any]:
        return await together(self._redis, commands)

    async def find(self) -> None:
        """The address says it."""

    async def close(self) -> None:
        await self._convoy.close()
        await self._redis.aclose()


class _Watched(_Single):
    """The primary that Sentinels name."""

    def __init__(self, address: Sentinels) -> None:
        tls = _tls(address.tls)
        self._sentinel = Sentinel(
            [(host.name, host.port) for host in address.hosts],
            sentinel_kwargs={
                **_patience(SENTINEL_SECONDS),
                **_login(address.sentinel_login),
                **({"ssl": True, **tls} if address.tls is not None else {}),
            },
        )
        self._pool = SentinelConnectionPool(
            address.service,
            self._sentinel,
            ssl=address.tls is not None,
            check_connection=True,
            max_connections=2 * MAX_CONNECTIONS,
            db=address.db,
            **_patience(READ_SECONDS),
            **_login(address.login),
            **tls,
        )
        super().__init__(Redis.from_pool(self._pool))

    async def find(self) -> None:
        await self._pool.get_master_address()

    async def close(self) -> None:
        await super().close()
        await asyncio.gather(*(sentinel.aclose() for sentinel in self._sentinel.sentinels))


def _pool(host: Host, address: Server | Cluster, db: int = 0) -> BlockingConnectionPool:
    return BlockingConnectionPool(
        connection_class=Connection if address.tls is None else SSLConnection,
        max_connections=MAX_CONNECTIONS,
        host=host.name,
        port=host.port,
        db=db,
        **_patience(READ_SECONDS),
        **_login(address.login),
        **_tls(address.tls),
    )


def _socket_pool(address: Socket) -> BlockingConnectionPool:
    return BlockingConnectionPool(
        connection_class=LocalConnection,
        max_connections=MAX_CONNECTIONS,
        path=address.path,
        db=address.db,
        **_patience(READ_SECONDS),
        **_login(address.login),
    )


def _patience(seconds: float) -> dict[str, Any]:
    return {
        "socket_timeout": seconds,
        "socket_connect_timeout": CONNECT_SECONDS,
        "health_check_interval": IDLE_SECONDS,
        "retry": Retry(NoBackoff(), 0),
        "protocol": 2,
    }


def _login(login: Login) -> dict[str, Any]:
    return {"username": login.username, "password": login.password}


def _tls(tls: Tls | None) -> Mapping[str, Any]:
    return tls or {}
