"""
When to ping a silent peer, and when to give it up.

Rule: this module reads no clock and owns no timer; it is told `now` and says when it
wants to be woken.
"""

from __future__ import annotations

from enum import Enum, auto

__all__ = ["Keepalive", "Pulse"]

GRACE = 0.05  # seconds: after a late timer, what already arrived is read before we judge


class Pulse(Enum):
    """What to do on waking."""

    WAIT = auto()
    PING = auto()
    DEAD = auto()


class Keepalive:
    """
    A ping to a peer that says nothing, answered within `timeout` seconds by anything at all.

    A peer that talks is alive, and its path is open: it is looked after twice in `interval`
    seconds, and pinged when it was silent for one of these halves. Without a `timeout` pings
    keep the path open, one each `interval`, and are never judged.
    """

    def __init__(self, interval: float, timeout: float | None, *, now: float) -> None:
        self._interval = interval
        self._timeout = timeout
        self.heard = False
        """Whether something arrived since the last look; whoever reads sets it."""
        self._pinged_at: float | None = None  # with a ping that nothing has answered
        self._in_grace = False
        self.deadline = now + interval

    def wake(self, now: float) -> Pulse:
        """What is due at `deadline`; sets the next one."""
        if now < self.deadline:
            return Pulse.WAIT
        if self.heard:
            self.heard = self._in_grace = False
            self._pinged_at = None
            self.deadline = now + self._interval / 2
            return Pulse.WAIT
        if self._pinged_at is None or self._timeout is None:
            return self._ping(now)
        return self._judge(now, self._pinged_at + self._timeout)

    def _ping(self, now: float) -> Pulse:
        self._pinged_at = now
        half, timeout = self._interval / 2, self._timeout
        self.deadline = now + (self._interval if timeout is None else min(half, timeout))
        return Pulse.PING

    def _judge(self, now: float, due: float) -> Pulse:
        if now < due:
            self.deadline = due
            return Pulse.WAIT
        if not self._in_grace:
            self._in_grace = True
            self.deadline = now + GRACE
            return Pulse.WAIT
        return Pulse.DEAD
