"""Tools for the runner's tests: they do what they are told to."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

from bridge.errors import StoreError
from bridge.ports.model import ToolCall
from bridge.ports.session import ToolDefinition
from bridge.ports.tools import Found, ToolState

__all__ = ["FakeJournal", "FakeTool", "HeldTool"]


class FakeTool:
    """Answers with whatever `act` makes of the call; remembers the calls."""

    def __init__(
        self,
        name: str = "look",
        act: Callable[[ToolCall], Awaitable[Any]] | None = None,
        *,
        timeout: float = 5.0,
        description: str = "",
    ) -> None:
        self.definition = ToolDefinition(name, description)
        self.timeout = timeout
        self.idempotent = True
        self.needs_journal = False
        self.calls: list[ToolCall] = []
        self._act = act

    async def execute(self, call: ToolCall) -> Any:
        self.calls.append(call)
        return {"called": call.name} if self._act is None else await self._act(call)


class HeldTool(FakeTool):
    """Answers when it is let go. `running` is how many are at work, `most` how many ever were."""

    def __init__(self, name: str = "look", *, timeout: float = 5.0) -> None:
        super().__init__(name, self._wait, timeout=timeout)
        self.gate = asyncio.Event()
        self.running = 0
        self.most = 0
        self.cancelled = 0

    async def _wait(self, call: ToolCall) -> Any:
        self.running += 1
        self.most = max(self.most, self.running)
        try:
            await self.gate.wait()
        except asyncio.CancelledError:
            self.cancelled += 1
            raise
        finally:
            self.running -= 1
        return {"call": call.call_id}


class FakeJournal:
    """
    The journal of one call. `told` is what it was told, in order. While it is `down` it
    fails, and while it has a gate it hangs.
    """

    def __init__(self, **results: bytes) -> None:
        self.told: list[str] = []
        self.down = False
        self.gate: asyncio.Event | None = None
        self.fenced = False
        self.results = dict(results)
        self.earlier: set[str] = set()
        """What an earlier holder of the call has begun."""

    async def begin(self, tool_call_id: str) -> Found:
        await self._used(f"begin {tool_call_id}")
        if self.fenced:
            return Found(ToolState.FENCED)
        if (result := self.results.get(tool_call_id)) is not None:
            return Found(ToolState.DONE, result)
        return Found(ToolState.BEGUN if tool_call_id in self.earlier else ToolState.NEW)

    async def done(self, tool_call_id: str, result: bytes) -> None:
        await self._used(f"done {tool_call_id}")
        self.results[tool_call_id] = result

    async def _used(self, what: str) -> None:
        self.told.append(what)
        if self.gate is not None:
            await self.gate.wait()
        if self.down:
            raise StoreError("the journal is down")
