"""
The configuration as it is and as it should be.

Rule: updates are wishes for an end state, not an ordered queue. They are merged in the
order in which they were asked for and applied one at a time; an older one never wins.
"""

from __future__ import annotations

from bridge.ports.session import RealtimeConfig, ToolDefinition
from bridge.runner.resumption import Pending
from bridge.runner.state import PendingResumption
from bridge.runner.vocabulary import UpdateAsked

__all__ = ["Updates"]


class Updates:
    """`desired` is what everybody asked for so far, `applied` what the session has."""

    def __init__(self, config: RealtimeConfig, desired: RealtimeConfig | None = None) -> None:
        self.desired = desired or config
        self.applied = config
        self.under_way: UpdateAsked | None = None
        """The update that the session is being asked for."""
        self._next: UpdateAsked | None = None
        self._tickets: list[int] = []
        self._next_tickets: list[int] = []

    @property
    def waiting(self) -> bool:
        """Whether there is a change that nobody has begun to apply."""
        return self._next is not None

    @property
    def offered(self) -> tuple[ToolDefinition, ...]:
        """The tools that the session knows, and behind them those that it may know already."""
        return (*(self.applied.tools or ()), *(self.desired.tools or ()))

    @property
    def settled(self) -> bool:
        """Whether the session is what everybody asked for."""
        return self.desired == self.applied

    def unapplied(self, pending: Pending | None) -> PendingResumption | None:
        """What is not in force, of the changes here and of the resumption that carries others."""
        waiting = (self._next, self.under_way, pending)
        told = (each.bridge_message for each in waiting if each is not None)
        message = next((message for message in told if message is not None), None)
        if self.settled and message is None:
            return None
        return PendingResumption(self.desired, message, pending.attempts if pending else 0)

    def ask(self, update: UpdateAsked) -> None:
        self.desired = self.desired.merge(update.change)
        self._next = _after(self._next, update)
        self._next_tickets.append(update.ticket)

    def begin(self) -> UpdateAsked:
        """Take the waiting change; it is under way from now on."""
        assert self._next is not None
        self.under_way, self._next = self._next, None
        self._tickets, self._next_tickets = self._next_tickets, []
        return self.under_way

    def absorb(self) -> tuple[UpdateAsked | None, tuple[int, ...]]:
        """Give every change that is not applied to a resumption, with its tickets."""
        both = self.under_way, self._next
        tickets = (*self._tickets, *self._next_tickets)
        self.under_way = self._next = None
        self._tickets, self._next_tickets = [], []
        older, newer = both
        if older is None or newer is None:
            return older or newer, tickets
        return _after(older, newer), tickets

    def confirmed(self) -> tuple[UpdateAsked, tuple[int, ...]]:
        """The change under way is in force."""
        update, tickets = self._finish()
        self.applied = self.applied.merge(update.change)
        return update, tickets

    def rejected(self) -> tuple[int, ...]:
        """The change under way is not wanted any more."""
        _, tickets = self._finish()
        self.revert()
        return tickets

    def resumed(self, config: RealtimeConfig) -> None:
        """A new session has this configuration."""
        self.applied = config

    def revert(self) -> None:
        """Want what is applied, and what still waits on top of it."""
        change = self._next.change if self._next is not None else RealtimeConfig()
        self.desired = self.applied.merge(change)

    def _finish(self) -> tuple[UpdateAsked, tuple[int, ...]]:
        assert self.under_way is not None
        update, self.under_way = self.under_way, None
        tickets, self._tickets = tuple(self._tickets), []
        return update, tickets


def _after(older: UpdateAsked | None, newer: UpdateAsked) -> UpdateAsked:
    """Both changes as one. The newer bridge message wins; without one the older stays."""
    if older is None:
        return newer
    bridged = newer if newer.bridge_message is not None else older
    change = older.change.merge(newer.change)
    return UpdateAsked(change, bridged.bridge_message, bridged.respond, newer.ticket)
