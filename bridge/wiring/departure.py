"""
How a worker that stops lets go of its calls, so that others go on with them.

Rule: a call leaves at a turn's boundary, when nothing would be cut off, and at the latest
when the time is up; never more than PACE of them in a second, so that those who take them
over, and their providers, can keep up. A call that comes back has nowhere else to go, and one
that would not come back at all is not let go of.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Iterable, Sequence

from bridge.call.switchboard import LiveCall

__all__ = ["PACE", "Departures", "next_to_leave"]

PACE = 20.0  # calls a second

_log = logging.getLogger(__name__)


def next_to_leave(calls: Sequence[LiveCall], left: float) -> LiveCall | None:
    """
    Who goes now: one that is at a turn's boundary; when the seconds `left` are only just
    enough for all of them, the first. None: nobody yet.
    """
    hurry = bool(calls) and left <= len(calls) / PACE
    at_boundary = (call for call in calls if call.at_boundary)
    return next(at_boundary, calls[0] if hurry else None)


class Departures:
    """`calls` gives those in progress; `clock` is monotonic, seconds."""

    def __init__(self, calls: Callable[[], Iterable[LiveCall]], clock: Callable[[], float]) -> None:
        self._calls = calls
        self._clock = clock
        self._gone: set[str] = set()

    async def run(self, seconds: float) -> None:
        """
        Hand over every call that is in progress, or comes, within so many seconds, but none
        twice. Returns when the time is up and nobody is left; may be cancelled before.
        """
        until = self._clock() + seconds
        while (waiting := self._waiting()) or self._clock() < until:
            if (call := next_to_leave(waiting, until - self._clock())) is not None:
                self._gone.add(call.call_id)
                call.hand_over()
            await asyncio.sleep(1 / PACE)
        if self._gone:
            _log.info("%d calls were handed over", len(self._gone))

    def _waiting(self) -> list[LiveCall]:
        calls = (call for call in self._calls() if call.returns)
        return [call for call in calls if call.call_id not in self._gone]
