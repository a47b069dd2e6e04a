"""
How much one peer may call.

Rule: a peer that was refused costs nothing, and no more than MOST peers are remembered.
"""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import dataclass

__all__ = ["Quotas"]

DAY = 24 * 3600.0  # seconds
MOST = 10_000  # peers


@dataclass(slots=True)
class _Peer:
    since: float
    calls: int = 0
    seconds: float = 0.0
    """Of calls that are over, since `since`."""


class Quotas:
    """`calls` at once and `minutes` within a day, of each peer; 0: no limit."""

    def __init__(self, calls: int, minutes: int) -> None:
        self._calls = calls
        self._seconds = minutes * 60.0
        self._peers: OrderedDict[str, _Peer] = OrderedDict()

    def refusal(self, peer: str, now: float) -> str | None:
        """Why the peer may not call now; None: it may."""
        known = self._known(peer, now)
        if known is None:
            return None
        if self._calls and known.calls >= self._calls:
            return "peer-calls"
        return "peer-minutes" if self._seconds and known.seconds >= self._seconds else None

    def begin(self, peer: str, now: float) -> None:
        """A call of the peer's begins."""
        known = self._known(peer, now) or _Peer(now)
        known.calls += 1
        self._peers[peer] = known
        self._peers.move_to_end(peer)
        if len(self._peers) > MOST:
            idle = next((name for name, one in self._peers.items() if not one.calls), None)
            self._peers.pop(idle or next(iter(self._peers)))

    def end(self, peer: str, seconds: float) -> None:
        """It is over, after so long."""
        known = self._peers.get(peer)
        if known is not None:
            known.calls = max(known.calls - 1, 0)
            known.seconds += seconds

    def _known(self, peer: str, now: float) -> _Peer | None:
        known = self._peers.get(peer)
        if known is not None and now - known.since >= DAY:
            known.since, known.seconds = now, 0.0
        return known
