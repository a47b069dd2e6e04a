"""The calls in progress on this worker, and whether there is room for another."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Protocol

from bridge.call.strain import Strain
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

    @property
    def returns(self) -> bool:
        """Whether it comes back, on another leg or worker, when its leg is let go of."""

    @property
    def at_boundary(self) -> bool:
        """Whether nobody speaks or is about to, so that nothing would be cut off."""

    def end(self, ending: Ending, verdict: Verdict) -> None:
        """End the call now, for this reason and in this verdict."""

    def hand_over(self) -> None:
        """Let go of the leg, so that the call comes back to another worker."""

    def step_aside(self) -> None:
        """Let go of the leg: the call is held elsewhere."""

    def look_after_mail(self) -> None:
        """Somebody may want something of the call, or has ended it in the store."""

    async def gone(self) -> None:
        """Return when the leg has been let go of, in bounded time."""

    async def change(self, change: RealtimeConfig, bridge_message: str | None) -> str:
        """Change the session; returns what became of it: applied or queued."""


class Switchboard:
    """
    `max_calls` bounds new calls; None: `strain` does, which is measured. A call that comes back
    is always let in.
    """

    def __init__(self, max_calls: int | None) -> None:
        self.max_calls = max_calls
        self.strain = Strain()
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
        return self.refusal() is None

    def refusal(self, expected: int = 0) -> str | None:
        """
        Why a new call is not welcome: draining, full or overloaded. None: it is. `expected`
        calls more are on their way.
        """
        calls = len(self._calls) + expected
        if self.draining:
            return "draining"
        if self.max_calls is not None:
            return "full" if calls >= self.max_calls else None
        # Who has no calls is not strained by them, and to wait would help nobody.
        return "overloaded" if calls and self.strain.overloaded else None

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
