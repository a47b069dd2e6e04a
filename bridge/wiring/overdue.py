"""
Whether a caller waits for the agent's answer for longer than people bear.

Rule: what a tool takes is no slowness of the model's, and is measured elsewhere. So a turn
in which a tool ran counts for nothing here.
"""

from __future__ import annotations

from bridge.call.vocabulary import Moment

__all__ = ["SLOW_SECONDS", "Overdue"]

SLOW_SECONDS = 2.5  # after which callers ask whether anybody is there


class Overdue:
    """Follows one call by its moments. Times are seconds of one clock."""

    def __init__(self) -> None:
        self._since: float | None = None

    def note(self, what: Moment, now: float) -> bool:
        """Whether this ends a wait that was too long, with an answer or without one."""
        match what:
            case Moment.CALLER_SILENT:
                self._since = now
            case Moment.TOOL:
                self._since = None
            case Moment.AGENT_SPEAKS | Moment.CALLER_SPEAKS | Moment.STILL_THERE | Moment.OVER:
                since, self._since = self._since, None
                return since is not None and now - since > SLOW_SECONDS
            case _:
                pass
        return False
