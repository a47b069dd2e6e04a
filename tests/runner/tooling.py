"""Tools for the runner's tests: they do what they are told to."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

from bridge.ports.model import ToolCall
from bridge.ports.session import ToolDefinition

__all__ = ["FakeTool", "HeldTool"]


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
