"""The calls in progress on this worker, and whether there is room for another."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Protocol

from bridge.call.timeline import Timeline
from bridge.errors import Ending
from bridge.ports.leg import Verdict
from bridge.ports.session import RealtimeConfig

__all__ = ["LiveCall", "Switchboard"]


class LiveCall(Protocol):
    """A call in progress, as the operator may see and steer it."""

    @property
    def call_id(self) -> str: ...

    @property
    def carrier(self) -> str: ...

    @property
    def started_at(self) -> float:
        """Unix time."""

    @property
    def timeline(self) -> Timeline: ...

    def end(self, ending: Ending, verdict: Verdict) -> None:
        """End the call now, for this reason and in this verdict."""

    def step_aside(self) -> None:
        """Let go of the leg: the call is held elsewhere."""

    async def gone(self) -> None:
        """Return when the leg has been let go of, in bounded time."""

    async def change(self, change: RealtimeConfig, bridge_message: str | None) -> str:
        """Change the session; returns what became of it: applied or queued."""


class Switchboard:
    """`max_calls` bounds new calls; a call that comes back is always let in."""

    def __init__(self, max_calls: int) -> None:
        self.max_calls = max_calls
        self.draining = False
        self._calls: dict[str, LiveCall] = {}
        self._empty = asyncio.Event()
        self._empty.set()

    def __len__(self) -> int:
        return len(self._calls)

    def __iter__(self) -> Iterator[LiveCall]:
        return iter(tuple(self._calls.values()))

    @property
    def welcome(self) -> bool:
        """Whether a new call is welcome."""
        return self.refusal is None

    @property
    def refusal(self) -> str | None:
        """Why a new call is not welcome: draining or full. None: it is."""
        if self.draining:
            return "draining"
        return "full" if len(self._calls) >= self.max_calls else None

    def find(self, call_id: str) -> LiveCall | None:
        return self._calls.get(call_id)

    @contextmanager
    def connect(self, call: LiveCall) -> Iterator[None]:
        """The call is in progress for as long as this lasts. A newer leg takes its place."""
        self._calls[call.call_id] = call
        self._empty.clear()
        try:
            yield
        finally:
            if self._calls.get(call.call_id) is call:
                del self._calls[call.call_id]
            if not self._calls:
                self._empty.set()

    async def empty(self) -> None:
        """Return when no call is in progress."""
        await self._empty.wait()
