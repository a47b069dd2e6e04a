"""
When a connection that says nothing counts as broken.

Rule: this module reads no clock. Google answers pings after as much as half a minute, so
that only the traffic itself is judged: a server that owes us something has to say
something, and a network that lives takes what we send.
"""

from __future__ import annotations

__all__ = ["Patience"]


class Patience:
    """
    Runs out after `silence` seconds without a message that is owed, or after `blockage`
    seconds in which the network takes no audio.
    """

    def __init__(self, silence: float, blockage: float) -> None:
        self._silence = silence
        self._blockage = blockage
        self._waiting_since: float | None = None
        self._blocked_since: float | None = None

    @property
    def deadline(self) -> float | None:
        """When to ask `exhausted` again, if nothing else happens."""
        return None if self._waiting_since is None else self._waiting_since + self._silence

    def owed(self, now: float) -> None:
        """Something is owed to us."""
        if self._waiting_since is None:
            self._waiting_since = now

    def settled(self) -> None:
        """Nothing is owed any more."""
        self._waiting_since = None

    def heard(self, now: float) -> None:
        """A message came."""
        if self._waiting_since is not None:
            self._waiting_since = now

    def blocked(self, now: float) -> None:
        """The network did not take a piece of audio."""
        if self._blocked_since is None:
            self._blocked_since = now

    def flowing(self) -> None:
        """The network took a piece of audio."""
        self._blocked_since = None

    def exhausted(self, now: float) -> bool:
        silent = self._waiting_since is not None and now >= self._waiting_since + self._silence
        stuck = self._blocked_since is not None and now >= self._blocked_since + self._blockage
        return silent or stuck
