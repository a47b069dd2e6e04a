"""
The journal as a live call can bear it: in bounded time, and without it if need be.

Rule: nothing here raises, whoever wrote the journal. What it does not take in within its
time is counted, and the log says so once.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable
from typing import TypeVar

from bridge.ports.tools import Found, ToolJournal

__all__ = ["SECONDS", "Journalled"]

SECONDS = 0.3  # that a tool, and so the caller, waits for the journal
MOST_BEGUN = 1_000  # calls that are known to be begun; the oldest go first

_T = TypeVar("_T")
_log = logging.getLogger(__name__)


class Journalled:
    """What is known of tool calls: by this runner, and by `journal`, if there is one."""

    def __init__(self, journal: ToolJournal | None, seconds: float = SECONDS) -> None:
        self._journal = journal
        self._seconds = seconds
        self._begun: dict[str, None] = {}
        self.failures = 0
        """How often the journal did not answer."""

    @property
    def there(self) -> bool:
        return self._journal is not None

    def begun(self, tool_call_id: str) -> bool:
        """Whether this runner has begun the call."""
        return tool_call_id in self._begun

    def begins(self, tool_call_id: str) -> None:
        """This runner begins it now."""
        self._begun[tool_call_id] = None
        while len(self._begun) > MOST_BEGUN:
            del self._begun[next(iter(self._begun))]

    async def begin(self, tool_call_id: str) -> Found | None:
        """Write down that a tool is about to run; None when that is not to be had."""
        if self._journal is None:
            return None
        return await self._bounded(self._journal.begin(tool_call_id))

    async def done(self, tool_call_id: str, result: bytes) -> None:
        """Write down what it answered."""
        if self._journal is not None:
            await self._bounded(self._journal.done(tool_call_id, result))

    async def _bounded(self, asked: Awaitable[_T]) -> _T | None:
        try:
            async with asyncio.timeout(self._seconds):
                return await asked
        except Exception as exc:
            self.failures += 1
            if self.failures == 1:
                _log.warning("the journal of tools does not answer: %s", type(exc).__name__)
            return None
