"""
The one way to Redis: everything is bounded, counted by a breaker, and fails as a StoreError.

A client that cannot be relied on any more (Redis hangs, is a replica now, or has gone) is
replaced by a new one, which looks anew for whoever is in charge. The old one is closed when
nobody uses it any more.
"""

from __future__ import annotations

import asyncio
import logging
import re
import time
from collections import defaultdict
from collections.abc import Awaitable, Callable, Coroutine, Sequence
from typing import Any, TypeVar

from redis.exceptions import (
    AuthenticationError,
    AuthorizationError,
    NoScriptError,
    RedisError,
    ResponseError,
)
from redis.exceptions import ConnectionError as LostConnection
from redis.exceptions import TimeoutError as NoAnswer

from bridge.errors import StoreError
from bridge.store.redis.address import Address
from bridge.store.redis.breaker import PAUSE, Breaker
from bridge.store.redis.clients import MAX_CONNECTIONS, Client, open_client
from bridge.store.redis.cluster import Command
from bridge.store.redis.refusals import Unanswered, WritesRefused
from bridge.store.redis.scripts import Script

__all__ = ["Connection", "Unanswered", "WritesRefused"]

LONGEST = 3.0  # seconds that any operation may take, and that an old client is kept for it
FIND_SECONDS = 3.0  # for a new client to find out who is in charge
CLOSE_SECONDS = 1.0
QUIET_SECONDS = 30.0  # between two lines in the log that say the same

_CONDITION = re.compile(
    r"\b(READONLY|NOREPLICAS|MASTERDOWN|LOADING|OOM|MISCONF|CLUSTERDOWN|BUSY|NOPERM|NOAUTH)\b"
)
_READABLE = {"READONLY", "NOREPLICAS", "OOM", "MISCONF"}
_UNRELIABLE = {"READONLY", "NOREPLICAS", "MASTERDOWN", "LOADING", "OOM", "CLUSTERDOWN"}
_ABSENT = {"MASTERDOWN", "LOADING", "CLUSTERDOWN", "BUSY"}

_T = TypeVar("_T")
_log = logging.getLogger(__name__)


class Connection:
    """
    `open` makes a client for `address`, `clock` gives seconds, monotonic.

    Nothing is connected before the first operation. Operations may be cancelled; what they
    asked for may have happened all the same.
    """

    def __init__(
        self,
        address: Address,
        *,
        open: Callable[[Address], Client] = open_client,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._address = address
        self._open = open
        self._clock = clock
        self._breakers: dict[str, Breaker] = defaultdict(Breaker)
        self._client: Client | None = None
        self._replaced_at = self._said_at = float("-inf")
        self._slots = asyncio.Semaphore(MAX_CONNECTIONS)
        self._retired: list[Client] = []
        self._tasks: set[asyncio.Task[None]] = set()
        self._closed = False

    async def run(
        self, script: Script, keys: Sequence[str], args: Sequence[str | bytes | int], within: float
    ) -> Any:
        """What the script returns, within so many seconds. Raises StoreError."""
        tail = (len(keys), *keys, *args)

        async def ask(client: Client) -> Any:
            try:
                return await client.execute(keys[0], ("EVALSHA", script.sha, *tail))
            except NoScriptError:  # Redis has been restarted, or is another one now
                return await client.execute(keys[0], ("EVAL", script.text, *tail))

        return await self._bounded(ask, keys[0], within)

    async def ask(self, key: str, command: Command, within: float) -> Any:
        """The answer of whoever keeps this key, within so many seconds. Raises StoreError."""

        async def ask(client: Client) -> Any:
            return await client.execute(key, command)

        return await self._bounded(ask, key, within)

    async def ask_all(self, commands: Sequence[Command], within: float) -> list[Any]:
        """
        The answers, within so many seconds; the key of each command is its first argument.
        Raises StoreError if one of them is an error.
        """

        async def ask(client: Client) -> list[Any]:
            answers = await client.execute_all(commands)
            for answer in answers:
                if isinstance(answer, Exception):
                    raise answer
            return answers

        return await self._bounded(ask, None, within)

    async def close(self) -> None:
        """Let go of everything, in bounded time. The last operation."""
        self._closed = True
        tasks = tuple(self._tasks)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        clients = [*self._retired, *([self._client] if self._client else [])]
        self._client = None
        await asyncio.gather(*(_close(client) for client in clients))

    async def _bounded(
        self, ask: Callable[[Client], Awaitable[_T]], key: str | None, within: float
    ) -> _T:
        if self._closed:
            raise StoreError("the connection to Redis has been closed")
        client = self._current()
        breaker = self._breakers[client.place(key)]
        if not breaker.allows(self._clock()):
            raise StoreError("Redis is left alone for a second: it has failed again and again")
        try:
            async with asyncio.timeout(within), self._slots:
                answer = await _heeding_cancel(ask(client))
        except TimeoutError:
            late = f"Redis did not answer within {within:.1f} s"
            raise self._failed(breaker, late, Unanswered) from None
        except (RedisError, OSError) as exc:
            raise self._refused(breaker, exc) from None
        breaker.succeeded()
        return answer

    def _refused(self, breaker: Breaker, error: Exception) -> StoreError:
        """What an error of redis-py's means for us. No text of Redis's goes any further."""
        if isinstance(error.__cause__, RedisError):
            error = error.__cause__  # what Redis said while we connected
        condition = _condition(error)
        if condition in _UNRELIABLE:
            self._replace()
        if condition in _ABSENT:
            return self._failed(breaker, f"Redis cannot serve now ({condition})")
        if condition in _READABLE:
            breaker.succeeded()
            self._say(f"Redis refuses to write ({condition})")
            return WritesRefused(f"Redis refuses to write ({condition})")
        if condition or isinstance(error, AuthenticationError | AuthorizationError):
            why = "Redis refuses the user or password of REDIS_URL, or a command"
            return self._failed(breaker, why)
        if isinstance(error, NoAnswer):
            return self._failed(breaker, "Redis did not answer in time", Unanswered)
        if isinstance(error, LostConnection | OSError):
            return self._failed(breaker, f"Redis cannot be reached ({type(error).__name__})")
        breaker.succeeded()
        return StoreError(f"Redis refused ({type(error).__name__})")

    def _failed(
        self, breaker: Breaker, what: str, kind: type[StoreError] = StoreError
    ) -> StoreError:
        breaker.failed(self._clock())
        if breaker.open:
            self._replace()
            self._say(what)
        return kind(what)

    def _say(self, what: str) -> None:
        now = self._clock()
        if now - self._said_at >= QUIET_SECONDS:
            self._said_at = now
            _log.warning("%s: %s. Calls go on without it", self._address, what)

    def _current(self) -> Client:
        if self._client is None:
            self._client = self._open(self._address)
        return self._client

    def _replace(self) -> None:
        """From now on a new client; not more often than it may take to find its way."""
        now = self._clock()
        if self._closed or self._client is None or now - self._replaced_at < PAUSE:
            return
        self._replaced_at = now
        old, self._client = self._client, self._open(self._address)
        self._retired.append(old)
        self._in_background(self._retire(old))
        self._in_background(self._find(self._client))

    def _in_background(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.get_running_loop().create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _retire(self, client: Client) -> None:
        """Close it when whoever uses it must have finished."""
        await asyncio.sleep(LONGEST)
        await _close(client)
        self._retired.remove(client)

    async def _find(self, client: Client) -> None:
        """Take a moment longer than an operation may, so that the next one finds its way."""
        try:
            async with asyncio.timeout(FIND_SECONDS):
                await client.find()
        except (RedisError, OSError):
            _log.debug("Redis is not to be found now")


async def _heeding_cancel(work: Awaitable[_T]) -> _T:
    """
    What comes of it, unless this task is cancelled meanwhile.

    redis-py uses `asyncio.wait_for`, and before Python 3.12 that forgets a cancellation which
    comes in the very turn of the loop in which it is done.
    """
    task = asyncio.current_task()
    assert task is not None
    before = task.cancelling()
    try:
        return await work
    finally:
        if task.cancelling() > before:
            raise asyncio.CancelledError


def _condition(error: Exception) -> str:
    """Redis's own word for its condition, if that is what is wrong."""
    if not isinstance(error, ResponseError | LostConnection):
        return ""
    found = _CONDITION.search(f"{type(error).__name__} {error}")
    return found[1] if found else _NAMES.get(type(error).__name__, "")


_NAMES = {
    "BusyLoadingError": "LOADING",
    "ReadOnlyError": "READONLY",
    "OutOfMemoryError": "OOM",
    "MasterDownError": "MASTERDOWN",
    "NoPermissionError": "NOPERM",
}
"""redis-py takes the word off where it has a class for it."""


async def _close(client: Client) -> None:
    try:
        async with asyncio.timeout(CLOSE_SECONDS):
            await client.close()
    except (RedisError, OSError):
        _log.debug("a connection to Redis was already gone")
