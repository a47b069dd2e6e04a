"""
Which calls nobody carries any more, and whether it is wise to do something about it.

Rule: a carrier that is told to ask again drops the leg that it has. So everything here would
rather leave a lost call to the next look than touch one that is well.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from enum import StrEnum

from bridge.ports.fleet import Holding, Member
from bridge.ports.store import CallState

__all__ = [
    "MOST_RESCUES",
    "Layer",
    "Orphans",
    "Outcome",
    "Pace",
    "RescueTimes",
    "Steadiness",
    "Survey",
    "is_orphan",
    "is_stranded",
    "survey",
]

MOST_RESCUES = 4  # of one call lately; one that needs more is not mended by yet another


class Layer(StrEnum):
    """What made us look at a call."""

    CALLBACK = "callback"
    """The carrier said that a leg of it ended."""
    REAPER = "reaper"
    """We went through the calls, and nobody was there for this one."""


class Outcome(StrEnum):
    """What became of the attempt to rescue a call."""

    REDIRECTED = "redirected"
    OVER = "over"
    """The caller was gone; the store knows it now."""
    RECOVERED = "recovered"
    """It came back by itself meanwhile."""
    TAKEN = "taken"
    """Another worker was at it."""
    GIVEN_UP = "given_up"
    """It was rescued too often: it ends in words."""
    LEFT = "left"
    """The carrier or the store did not answer, or did not know: another time."""


@dataclass(frozen=True, slots=True)
class RescueTimes:
    """Seconds, but for the last."""

    beat: float = 1.0
    """Between two signs of life of a worker."""
    gone: float = 5.0
    """Without one of them, after which a worker counts as dead."""
    known: float = 60.0
    """For which a dead worker counts when it is asked how many have died."""
    look: float = 2.0
    """Between two looks at all calls."""
    steady: float = 15.0
    """For which the store must have been well before calls are judged by what it says."""
    grace: float = 1.5
    """From the news that a leg has ended to the question whether anybody came back."""
    asked: float = 4.0
    """After the carrier asked what comes next, for the leg that follows from that."""
    waiting: float = 4.0
    """For which a call may wait for a leg, as we see it, before it is an orphan."""
    reserved: float = 10.0
    """For which a call that is being rescued is left to whoever does it."""
    put_off: float = 4.0
    """After which a call that could not be rescued is tried again; each time twice as long."""
    longest_put_off: float = 60.0
    per_second: float = 5.0
    """Calls that one worker rescues."""


def is_stranded(holding: Holding | None, leg: int, times: RescueTimes) -> bool:
    """
    Whether the call waits for somebody, its leg with this fence on its ticket having ended.

    A call that was claimed for a later leg is well, and one that its carrier has just asked
    about is in good hands.
    """
    if holding is None or holding.state is CallState.ENDED or _is_asked(holding, times):
        return False
    if holding.state is not CallState.LIVE and holding.fence == leg:
        return True  # nobody ever claimed it for that leg
    return holding.state is not CallState.NEW and holding.shown == leg


def is_orphan(holding: Holding | None, gone: Iterable[str], times: RescueTimes) -> bool:
    """Whether nobody carries the call, its owner being one of those who are `gone`, or none."""
    if holding is None or _is_asked(holding, times):
        return False
    if holding.state is CallState.LIVE:
        return holding.owner in gone and not holding.leased
    return holding.state is CallState.WAITING


def _is_asked(holding: Holding, times: RescueTimes) -> bool:
    return holding.asked_seconds is not None and holding.asked_seconds < times.asked


@dataclass(frozen=True, slots=True)
class Survey:
    """The workers at one glance."""

    alive: frozenset[str]
    gone: frozenset[str]
    """Those that were there within the last hour and are not now."""
    lately_gone: int
    """How many of them have died, and not long ago."""
    watcher: str | None
    """Who looks after all calls. One is enough, and several do no harm."""
    path: str | None
    """Where carriers find the bridge, as anybody could tell."""

    @property
    def trustworthy(self) -> bool:
        """Where most seem to be dead, it is rather that we do not hear them."""
        return self.lately_gone <= len(self.alive)


def survey(members: Sequence[Member], times: RescueTimes) -> Survey:
    """What the signs of life say."""
    alive = [member.pulse for member in members if member.silent_seconds < times.gone]
    gone = [member for member in members if member.silent_seconds >= times.gone]
    able = [pulse.worker for pulse in alive if pulse.watching and not pulse.draining]
    heard_first = sorted(members, key=lambda member: member.silent_seconds)
    paths = [member.pulse.path for member in heard_first if member.pulse.path is not None]
    return Survey(
        frozenset(pulse.worker for pulse in alive),
        frozenset(member.pulse.worker for member in gone),
        sum(member.silent_seconds < times.known for member in gone),
        min(able, default=None),
        paths[0] if paths else None,
    )


class Steadiness:
    """
    For how long the store has been one and the same, and has answered.

    `now` is seconds, monotonic.
    """

    def __init__(self, now: float) -> None:
        self._began = now
        self._troubled_at: float | None = None
        self._mark: str | None = None

    def saw(self, mark: str, now: float) -> None:
        """It answers, and this is what tells it from others."""
        if self._mark not in {None, mark}:
            self._troubled_at = now
        self._mark = mark

    def failed(self, now: float) -> None:
        """It did not answer."""
        self._troubled_at = now

    def troubled(self, now: float, seconds: float) -> bool:
        """Whether anything was seen to be wrong within so many seconds."""
        return self._troubled_at is not None and now - self._troubled_at < seconds

    def steady(self, now: float, seconds: float) -> bool:
        """Whether it was watched for so long, and nothing was wrong."""
        return now - self._began >= seconds and not self.troubled(now, seconds)


class Pace:
    """Not more than so many per second, and not all of them on the beat; `dice` gives 0 to 1."""

    def __init__(self, per_second: float, dice: Callable[[], float]) -> None:
        self._gap = 1.0 / per_second
        self._dice = dice
        self._next = float("-inf")

    def wait(self, now: float) -> float:
        """Take the next turn: seconds until then."""
        turn = max(now, self._next) + self._dice() * self._gap / 2
        self._next = turn + self._gap
        return turn - now


@dataclass(slots=True)
class _Sighting:
    since: float
    fence: int
    failures: int = 0
    not_before: float = float("-inf")


class Orphans:
    """
    What one worker remembers of the calls that nobody carries, from look to look.

    `now` is seconds, monotonic.
    """

    def __init__(self, times: RescueTimes) -> None:
        self._times = times
        self._seen: dict[str, _Sighting] = {}

    def due(self, holdings: Iterable[Holding], gone: Iterable[str], now: float) -> list[Holding]:
        """Those of these calls that are to be rescued now. All others are forgotten."""
        orphans = [each for each in holdings if is_orphan(each, gone, self._times)]
        seen, self._seen = self._seen, {}
        for holding in orphans:
            before = seen.get(holding.call_id)
            if before is None or before.fence != holding.fence:
                before = _Sighting(now, holding.fence)
            self._seen[holding.call_id] = before
        return [holding for holding in orphans if self._is_due(holding, now)]

    def put_off(self, call_id: str, now: float) -> None:
        """It could not be rescued: another time, and later each time."""
        if (sighting := self._seen.get(call_id)) is not None:
            pause = self._times.put_off * 2**sighting.failures
            sighting.not_before = now + min(pause, self._times.longest_put_off)
            sighting.failures = min(sighting.failures + 1, 10)

    def forget(self) -> None:
        """What was seen counts for nothing."""
        self._seen.clear()

    def _is_due(self, holding: Holding, now: float) -> bool:
        sighting = self._seen[holding.call_id]
        waits = self._times.waiting if holding.state is CallState.WAITING else 0.0
        return now >= max(sighting.since + waits, sighting.not_before)
