"""
Session timers (RFC 4028): a call whose ends do not hear of each other any more ends itself.

One end refreshes at half of the interval, the other hangs up shortly before it is over.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum, auto

from bridge.wire.sip.faults import Reason, SipProtocolError
from bridge.wire.sip.grammar import number, parameter, read_parameters
from bridge.wire.sip.messages import Headers, Message, Request, Response

__all__ = ["INTERVAL", "SHORTEST", "Agreed", "Due", "SessionTimer", "agree", "learn", "offer"]

INTERVAL = 1800
"""Seconds that we propose."""
SHORTEST = 90
"""Seconds of the shortest interval that anybody may want (section 4)."""


class Due(Enum):
    """What the timer wants."""

    REFRESH = auto()
    EXPIRED = auto()


@dataclass(frozen=True, slots=True)
class Agreed:
    """An interval in seconds, and whether we are the one who refreshes."""

    seconds: int
    ours: bool

    def answer(self) -> Headers:
        """The headers of a 2xx of ours, in whose transaction we are the server."""
        refresher = "uas" if self.ours else "uac"
        expires = ("Session-Expires", f"{self.seconds};refresher={refresher}")
        return (expires,) if self.ours else (("Require", "timer"), expires)


class SessionTimer:
    """The clock of one call."""

    def __init__(self) -> None:
        self._refresh_at: float | None = None
        self._ends_at: float | None = None

    @property
    def deadline(self) -> float | None:
        return self._ends_at if self._refresh_at is None else self._refresh_at

    def start(self, agreed: Agreed | None, now: float) -> None:
        """A session was agreed on or refreshed; None: without a timer."""
        if agreed is None:
            self._refresh_at = self._ends_at = None
            return
        self._refresh_at = now + agreed.seconds / 2 if agreed.ours else None
        self._ends_at = now + agreed.seconds - min(32.0, agreed.seconds / 3)

    def due(self, now: float) -> Due | None:
        if self._refresh_at is not None and now >= self._refresh_at:
            self._refresh_at = None
            return Due.REFRESH
        if self._ends_at is not None and now >= self._ends_at:
            self._ends_at = None
            return Due.EXPIRED
        return None


def offer(
    seconds: int = INTERVAL, shortest: int = SHORTEST, *, refreshing: bool = False
) -> Headers:
    """The headers of an INVITE or UPDATE of ours."""
    ours = ";refresher=uac" if refreshing else ""
    expires = ("Session-Expires", f"{seconds}{ours}")
    return (("Supported", "timer"), expires, ("Min-SE", str(shortest)))


def agree(request: Request, *, ours: bool | None = None) -> Agreed | None:
    """
    What we answer to an INVITE or UPDATE; None: no timer. SipProtocolError 422 for an
    interval that is too short.
    """
    if "timer" not in request.words("Supported"):
        return None
    read = _read(request)
    if read is None:
        return Agreed(max(INTERVAL, shortest(request)), ours=bool(ours))
    seconds, refresher = read
    if seconds < SHORTEST:
        raise SipProtocolError(Reason.HEADER, 422)
    if refresher in ("uac", "uas"):
        return Agreed(seconds, ours=refresher == "uas")
    return Agreed(seconds, ours=bool(ours))


def learn(response: Response) -> Agreed | None:
    """What a 2xx to an INVITE or UPDATE of ours says."""
    try:
        read = _read(response)
    except SipProtocolError:
        return None
    if read is None:
        return None
    return Agreed(max(read[0], SHORTEST), ours=read[1] != "uas")


def shortest(message: Message) -> int:
    """Min-SE, in seconds."""
    value = (message.first("Min-SE") or "").partition(";")[0].strip()
    return max(SHORTEST, number(value, Reason.HEADER)) if value else SHORTEST


def _read(message: Message) -> tuple[int, str] | None:
    value = message.first("Session-Expires")
    if value is None:
        return None
    seconds, semicolon, rest = value.partition(";")
    parameters = read_parameters(semicolon + rest, Reason.HEADER)
    refresher = (parameter(parameters, "refresher") or "").lower()
    return number(seconds.strip(), Reason.HEADER), refresher
