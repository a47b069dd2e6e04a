"""
The journal of one call's tools, as its runner knows it: the store's, once the call is ours.

Rule: the record that names a tool call is stored before the tool is begun, so that whoever
takes the call over knows what to ask for.
"""

from __future__ import annotations

import time
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager

from bridge.ports.store import Claim, StoredJournal
from bridge.ports.tools import Found, ToolState
from bridge.telemetry.metrics import Metrics

__all__ = ["CallJournal"]

Flush = Callable[[], Awaitable[None]]


class CallJournal:
    """Behind the door ToolJournal. Before `held`, while nobody has the call, all is new."""

    def __init__(self, stored: StoredJournal, metrics: Metrics) -> None:
        self._stored = stored
        self._metrics = metrics
        self._claim: Claim | None = None
        self._flush: Flush | None = None

    def held(self, claim: Claim) -> None:
        """The call is ours. What was asked of an earlier holder is in the record already."""
        self._claim = claim

    def kept(self, flush: Flush | None) -> None:
        """From now on `flush` stores the record; None: nobody does."""
        self._flush = flush

    async def begin(self, tool_call_id: str) -> Found:
        if self._claim is None:
            return Found(ToolState.NEW)
        with self._counted("tool_begin"):
            if self._flush is not None:
                await self._flush()
            return await self._stored.begin(self._claim, tool_call_id)

    async def done(self, tool_call_id: str, result: bytes) -> None:
        if self._claim is not None:
            with self._counted("tool_done"):
                await self._stored.done(self._claim, tool_call_id, result)

    @contextmanager
    def _counted(self, operation: str) -> Iterator[None]:
        began, outcome = time.monotonic(), "failed"
        try:
            yield
            outcome = "ok"
        finally:
            self._metrics.store_used(operation, outcome, time.monotonic() - began)
