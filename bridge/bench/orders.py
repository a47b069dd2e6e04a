"""
Orders to a process of the benchmark, and its answers: a line of JSON each, on its pipes.

Rule: the process that gives orders owns the one that obeys; where the pipe ends, so does
who listens at it.
"""

from __future__ import annotations

import asyncio
import json
import sys
from asyncio.subprocess import PIPE, Process
from collections.abc import Awaitable, Callable, Mapping
from types import TracebackType
from typing import Any, Self

from bridge.errors import BridgeError

__all__ = ["Handler", "Obedient", "OrderFailed", "obey"]

MAX_ANSWER_SIZE = 256 * 1024 * 1024  # bytes; the times of 300 calls take some megabytes
STOP_SECONDS = 5.0

Handler = Callable[..., Awaitable[Any]]


class OrderFailed(BridgeError):
    """A process of the benchmark could not do what it was asked to, or is gone."""


async def obey(handlers: Mapping[str, Handler]) -> None:
    """Say that all is ready, then do what standard input orders, until it ends."""
    loop = asyncio.get_running_loop()
    lines = asyncio.StreamReader()
    pipe, _ = await loop.connect_read_pipe(lambda: asyncio.StreamReaderProtocol(lines), sys.stdin)
    try:
        _say({"answer": "ready"})
        while line := await lines.readline():
            order = json.loads(line)
            _say(await _done(handlers[order.pop("order")], order))
    finally:
        pipe.close()


async def _done(handler: Handler, arguments: Mapping[str, Any]) -> dict[str, Any]:
    try:
        return {"answer": await handler(**arguments)}
    except (BridgeError, OSError, TimeoutError) as exc:
        return {"error": f"{type(exc).__name__}: {exc}"}


def _say(words: Mapping[str, Any]) -> None:
    sys.stdout.write(json.dumps(words, separators=(",", ":")) + "\n")
    sys.stdout.flush()


class Obedient:
    """A process that obeys: a context manager, which starts and stops it."""

    def __init__(self, command: list[str], environ: Mapping[str, str]) -> None:
        self._command = command
        self._environ = environ
        self._process: Process | None = None

    async def __aenter__(self) -> Self:
        self._process = await asyncio.create_subprocess_exec(
            *self._command, env=dict(self._environ), stdin=PIPE, stdout=PIPE, limit=MAX_ANSWER_SIZE
        )
        await self._answer()
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        assert self._process is not None
        assert self._process.stdin is not None
        self._process.stdin.close()
        try:
            async with asyncio.timeout(STOP_SECONDS):
                await self._process.wait()
        except TimeoutError:
            self._process.kill()
            await self._process.wait()

    @property
    def pid(self) -> int:
        assert self._process is not None
        return self._process.pid

    async def order(self, order: str, **arguments: Any) -> Any:
        """The answer. Raises OrderFailed."""
        assert self._process is not None
        assert self._process.stdin is not None
        self._process.stdin.write(json.dumps({"order": order, **arguments}).encode() + b"\n")
        return await self._answer()

    async def _answer(self) -> Any:
        assert self._process is not None
        assert self._process.stdout is not None
        line = await self._process.stdout.readline()
        if not line:
            raise OrderFailed(f"{self._command[2]} is gone")
        words = json.loads(line)
        if "error" in words:
            raise OrderFailed(words["error"])
        return words["answer"]
