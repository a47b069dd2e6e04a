"""
The journal of tools in process memory: for one worker, whose calls may come back on another leg.

It is bounded: a call has so many entries, the oldest go first, and all of them with its end.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from bridge.errors import StoreError
from bridge.ports.store import Claim
from bridge.ports.tools import Found, ToolState

__all__ = ["MOST_TOOLS", "MemoryJournal"]

MOST_TOOLS = 256  # of one call

Holds = Callable[[Claim], bool | None]


@dataclass(slots=True)
class _Entry:
    holder: str
    """The claim under which it was begun."""
    result: bytes | None = field(default=None, repr=False)


class MemoryJournal:
    """
    Behind the door StoredJournal. `holds` tells whether a claim is the last one of its call,
    and the call not over; None: the call is not known.
    """

    def __init__(self, holds: Holds) -> None:
        self._holds = holds
        self._calls: dict[str, dict[str, _Entry]] = {}

    async def begin(self, claim: Claim, tool_call_id: str) -> Found:
        match self._holds(claim):
            case None:
                raise StoreError("the call is not known, and so it has no journal")
            case False:
                return Found(ToolState.FENCED)
        entries = self._calls.setdefault(claim.call_id, {})
        known = entries.get(tool_call_id)
        if known is None:
            entries[tool_call_id] = _Entry(claim.claim_id)
            while len(entries) > MOST_TOOLS:
                del entries[next(iter(entries))]
            return Found(ToolState.NEW)
        if known.result is not None:
            return Found(ToolState.DONE, known.result)
        return Found(ToolState.NEW if known.holder == claim.claim_id else ToolState.BEGUN)

    async def done(self, claim: Claim, tool_call_id: str, result: bytes) -> None:
        entry = self._calls.get(claim.call_id, {}).get(tool_call_id)
        if entry is not None:
            entry.result = result

    def forget(self, call_id: str) -> None:
        """The call is over."""
        self._calls.pop(call_id, None)
