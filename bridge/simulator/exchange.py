"""
The carrier's switch, as its REST API sees it: the calls, and what becomes of them by order.

Twilio, Call resource: a call in progress goes on with another document, or ends, whatever it
does just now.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Protocol

__all__ = ["Exchange", "Orders"]

IN_PROGRESS = "in-progress"
COMPLETED = "completed"


class Orders(Protocol):
    """A call that takes orders."""

    @property
    def status(self) -> str:
        """ringing or in-progress, in Twilio's words."""

    def redirect(self, url: str, method: str) -> None:
        """Go on with the document that is there."""

    def hang_up(self) -> None:
        """End."""


class Exchange:
    """Knows all calls that were placed through it, those that are over, too."""

    def __init__(self) -> None:
        self._calls: dict[str, Orders | None] = {}

    def __iter__(self) -> Iterator[str]:
        """The SIDs of all calls."""
        return iter(tuple(self._calls))

    def begin(self, call_sid: str, call: Orders) -> None:
        """A call is being placed."""
        self._calls[call_sid] = call

    def end(self, call_sid: str) -> None:
        """It is over."""
        self._calls[call_sid] = None

    def status(self, call_sid: str) -> str | None:
        """ringing, in-progress or completed; None where there never was such a call."""
        if call_sid not in self._calls:
            return None
        call = self._calls[call_sid]
        return COMPLETED if call is None else call.status

    def redirect(self, call_sid: str, url: str, method: str) -> bool:
        """Whether the call goes on there: only one in progress does."""
        call = self._in_progress(call_sid)
        if call is not None:
            call.redirect(url, method)
        return call is not None

    def hang_up(self, call_sid: str) -> bool:
        """Whether the call ends by that: only one in progress does."""
        call = self._in_progress(call_sid)
        if call is not None:
            call.hang_up()
        return call is not None

    def _in_progress(self, call_sid: str) -> Orders | None:
        call = self._calls.get(call_sid)
        return call if call is not None and call.status == IN_PROGRESS else None
