"""
One window: what a subject carried for some seconds, and what it took.

Rule: pure. It is told what both ends of the load noted and what the system counted.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from bridge.bench.figures import Histogram, delays_ms, percentile, underruns
from bridge.bench.process import Usage
from bridge.bench.stamps import BITS

__all__ = ["Counted", "Window", "read_window"]

FRAME_BYTES = 160  # of the caller's, 20 ms of mu-law
DELTA_BYTES = 800  # of the model's, 100 ms of mu-law, as the caller hears them
BYTES_A_SECOND = 8_000
PLAYOUT_MS = 60  # of audio that a listener holds before playing
SETTLE = 300_000  # microseconds before the window's end, in which what is sent may not arrive in it


@dataclass(frozen=True, slots=True)
class Counted:
    """What the system counted from `begin` to `end`, in microseconds of the monotonic clock."""

    begin: int
    end: int
    used: Usage
    harness_cpu: float
    """Seconds of the load and the fake provider."""
    lag: Histogram
    stolen: float
    """Seconds that the machine's host took from all of its processors."""

    @property
    def seconds(self) -> float:
        return (self.end - self.begin) / 1e6


@dataclass(frozen=True, slots=True)
class Window:
    """The figures of one window. Milliseconds, but for what says otherwise."""

    calls: int
    cpu_ms: float
    """Of the subject, for each second of each call."""
    user_share: float
    """Of it in user mode, 0 to 1."""
    core: float
    """Of one core, 0 to 1; two workers may have more than one."""
    waited: float
    """Of the window, 0 to 1, how long it was ready but others were on the processor."""
    stolen: float
    """Of one core, 0 to 1, what the machine's host took from all of its processors."""
    harness_core: float
    rss: int
    """Bytes."""
    carried: float
    """Of the audio that was sent in the window, 0 to 1, how much arrived at all."""
    lost_calls: int
    underruns: int
    lag_p99: float
    first_audio: float
    """From the last frame of the caller's stamp to the first of the model's voice: median."""
    webhook: float
    """Median; not a number for a relay."""
    late_p99: float
    """How late the load itself was."""
    inward: Sequence[float] = field(repr=False)
    """The delay of each frame from the carrier to the provider."""
    outward: Sequence[float] = field(repr=False)


def read_window(
    calls: int, counted: Counted, load: Mapping[str, Any], fake: Mapping[str, Any]
) -> Window:
    """The figures, from what load and fake reported of the same calls."""
    pairs = list(_pairs(load, fake))
    span = counted.begin, counted.end - SETTLE
    inward = [delay for pair in pairs for delay in _inward(*pair, span)]
    outward = [delay for pair in pairs for delay in _outward(*pair, span)]
    sent = sum(_within(caller["sent_at"], span) for caller, _ in pairs)
    said = sum(_within(session["said_at"], span) for _, session in pairs)
    call_seconds = counted.seconds * calls
    late = [*load["late_ms"], *fake["late_ms"]]
    return Window(
        calls=calls,
        cpu_ms=counted.used.cpu * 1000 / call_seconds,
        user_share=_share(counted.used.user, counted.used.user + counted.used.system),
        core=counted.used.cpu / counted.seconds,
        waited=counted.used.waited / counted.seconds,
        stolen=counted.stolen / counted.seconds,
        harness_core=counted.harness_cpu / counted.seconds,
        rss=counted.used.rss,
        carried=_share(len(inward) + len(outward), sent + said) * _share(len(pairs), calls),
        lost_calls=calls - len(pairs) + load["lost"],
        underruns=sum(_underruns(caller, (counted.begin, counted.end)) for caller, _ in pairs),
        lag_p99=counted.lag.quantile(0.99) * 1000,
        first_audio=percentile([each for pair in pairs for each in _first_audio(*pair)], 0.5),
        webhook=percentile(load["webhook_ms"], 0.5),
        late_p99=percentile(late, 0.99),
        inward=inward,
        outward=outward,
    )


def _pairs(
    load: Mapping[str, Any], fake: Mapping[str, Any]
) -> Iterator[tuple[Mapping[str, Any], Mapping[str, Any]]]:
    """Both ends of each call. JSON makes the numbers of calls strings."""
    for number, caller in load["calls"].items():
        if (session := fake["sessions"].get(number)) is not None:
            yield caller, session


def _inward(
    caller: Mapping[str, Any], session: Mapping[str, Any], span: tuple[int, int]
) -> list[float]:
    heard_at, heard = session["heard_at"], session["heard"]
    return delays_ms(caller["sent_at"], heard_at, heard, session["frame"], span)


def _outward(
    caller: Mapping[str, Any], session: Mapping[str, Any], span: tuple[int, int]
) -> list[float]:
    heard_at, heard = caller["heard_at"], caller["heard"]
    return delays_ms(session["said_at"], heard_at, heard, DELTA_BYTES, span)


def _underruns(caller: Mapping[str, Any], span: tuple[int, int]) -> int:
    return underruns(caller["heard_at"], caller["heard"], BYTES_A_SECOND, PLAYOUT_MS, span)


def _first_audio(caller: Mapping[str, Any], session: Mapping[str, Any]) -> Iterator[float]:
    if caller["heard_at"] and len(caller["sent_at"]) >= BITS:
        yield (caller["heard_at"][0] - caller["sent_at"][BITS - 1]) / 1000


def _within(times: Sequence[int], span: tuple[int, int]) -> int:
    return sum(span[0] <= at < span[1] for at in times)


def _share(part: float, whole: float) -> float:
    return part / whole if whole else math.nan
