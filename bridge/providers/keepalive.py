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
    A ping each `interval` seconds, answered within `timeout` seconds by anything at all.

    A peer that talks is alive, whether or not its pong comes first. Without a `timeout`
    pings keep the path open and are never judged.
    """

    def __init__(self, interval: float, timeout: float | None, *, now: float) -> None:
        self._interval = interval
        self._timeout = timeout
        self.heard = False
        """Whether something arrived since the last ping; whoever reads sets it."""
        self._pinged_at: float | None = None
        self._in_grace = False
        self.deadline = now + interval

    def wake(self, now: float) -> Pulse:
        """What is due at `deadline`; sets the next one."""
        if now < self.deadline:
            return Pulse.WAIT
        pinged_at, timeout = self._pinged_at, self._timeout
        if pinged_at is None:
            return self._ping(now)
        if timeout is not None and not self.heard:
            return self._judge(now, pinged_at + timeout)
        return self._wait_or_ping(now, pinged_at + self._interval)

    def _ping(self, now: float) -> Pulse:
        self._pinged_at = now
        self.heard = self._in_grace = False
        wait = self._interval if self._timeout is None else min(self._interval, self._timeout)
        self.deadline = now + wait
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

    def _wait_or_ping(self, now: float, due: float) -> Pulse:
        if now >= due:
            return self._ping(now)
        self.deadline = due
        return Pulse.WAIT
