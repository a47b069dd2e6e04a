"""
The benchmark at work: levels of load, rounds, and a window of each subject in each round.

Rule: subjects take turns, window by window, so that what else the machine does meets all
of them alike. What is compared is compared within a round.
"""

from __future__ import annotations

import asyncio
import statistics
import sys
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from bridge.bench.figures import read_histogram
from bridge.bench.orders import Obedient
from bridge.bench.process import pin, stolen, usage
from bridge.bench.subjects import Running, Subject, free_port, without_settings
from bridge.bench.window import Counted, Window, read_window
from bridge.telemetry.lag import INTERVAL

__all__ = ["Keep", "Level", "Plan", "Tell", "measure", "undisturbed"]

FULL_CORE = 0.92
KEPT_UP = 0.95  # of the audio that arrived in time, or nearly so
LAG = "bridge_event_loop_lag_seconds"
FIRST_SECONDS = (
    0.6  # of a lonely call, after which a process has all in memory that all calls share
)
KNOWN_SECONDS = 10.0  # from the last call's begin until the provider knows them all, at most
RAMP_A_SECOND = 60.0  # calls that are placed in a second, at most
STOLEN = 0.03  # of a core, by the machine's host: a window that has lost more tells of the host
TRIES = 3  # for a window that tells of the subject

Tell = Callable[[str], None]
Keep = Callable[[Sequence["Level"]], None]


@dataclass(frozen=True, slots=True)
class Plan:
    """What to do: calls at once, level by level; seconds of a window, and before it."""

    levels: Sequence[int]
    rounds: int
    seconds: float
    warm_up: float
    pin: bool = False
    """Subjects on the first processor, the load on the others."""


@dataclass(frozen=True, slots=True)
class Level:
    """What one subject did with so many calls."""

    subject: Subject
    calls: int
    windows: Sequence[Window]
    lonely_rss: int
    """Bytes in memory after a first, lonely call."""
    ready_seconds: float

    @property
    def saturated(self) -> bool:
        """Whether it could not keep up, so that its costs are too low to be true."""
        core = statistics.median(window.core for window in self.windows)
        carried = statistics.median(window.carried for window in self.windows)
        return core > FULL_CORE * self.subject.workers or carried < KEPT_UP

    @property
    def bytes_a_call(self) -> float:
        """Of memory, beyond the first; not a number for one call."""
        most = max(window.rss for window in self.windows)
        return (most - self.lonely_rss) / (self.calls - 1) if self.calls > 1 else float("nan")


@dataclass(frozen=True, slots=True)
class _Harness:
    """The processes around the subjects."""

    load: Obedient
    fake: Obedient

    @property
    def pids(self) -> list[int]:
        return [self.load.pid, self.fake.pid]


async def measure(
    subjects: Sequence[Subject],
    plan: Plan,
    environ: Mapping[str, str],
    folder: Path,
    *,
    tell: Tell,
    keep: Keep,
) -> list[Level]:
    """
    Every subject at every level, up to the first that is too much for it.

    `folder` is for what processes print; `tell` hears of each window, and `keep` is given
    all levels so far whenever there is another one.

    Raises ConfigError where a process cannot begin, and OrderFailed where calls cannot be
    placed.
    """
    clean = without_settings(environ)
    levels: list[Level] = []
    port = free_port()
    provider = f"http://127.0.0.1:{port}"
    python = [sys.executable, "-m"]
    async with AsyncExitStack() as stack:
        fake = [*python, "bridge.bench.fake", "--port", str(port)]
        harness = _Harness(
            await stack.enter_async_context(Obedient([*python, "bridge.bench.load"], clean)),
            await stack.enter_async_context(Obedient(fake, clean)),
        )
        if plan.pin:
            pin(harness.pids, first=False)
        for calls in plan.levels:
            async with AsyncExitStack() as here:
                running = [
                    await here.enter_async_context(Running(subject, provider, clean, folder))
                    for subject in subjects
                ]
                levels += await _level(running, harness, calls, plan, tell)
            keep(levels)
            full = {level.subject for level in levels if level.saturated}
            subjects = [subject for subject in subjects if subject not in full]
    return levels


async def _level(
    running: Sequence[Running], harness: _Harness, calls: int, plan: Plan, tell: Tell
) -> list[Level]:
    """Fresh processes, so that memory tells of this level alone."""
    lonely = []
    for each in running:
        if plan.pin:
            pin(each.pids, first=True)
        lonely.append((await _window(each, harness, 1, FIRST_SECONDS, 0.0)).rss)
    windows: list[list[Window]] = [[] for _ in running]
    for number in range(plan.rounds):
        for each, own in zip(running, windows, strict=True):
            window = await undisturbed(
                partial(_window, each, harness, calls, plan.seconds, plan.warm_up)
            )
            own.append(window)
            tell(
                f"{calls} calls, round {number + 1}: {each.subject.name} takes "
                f"{window.cpu_ms:.2f} ms a call and second"
            )
    return [
        Level(each.subject, calls, own, rss, each.ready_seconds)
        for each, own, rss in zip(running, windows, lonely, strict=True)
    ]


async def undisturbed(measured: Callable[[], Awaitable[Window]]) -> Window:
    """A window in which the machine was left alone; failing that, the least disturbed of TRIES."""
    best = await measured()
    for _ in range(TRIES - 1):
        if best.stolen <= STOLEN:
            break
        best = min(best, await measured(), key=lambda window: window.stolen)
    return best


async def _window(
    running: Running, harness: _Harness, calls: int, seconds: float, warm_up: float
) -> Window:
    subject = running.subject
    await harness.fake.order("listen", speaks=subject.speaks)
    placed = await harness.load.order(
        "connect",
        origins=running.origins,
        calls=calls,
        token=running.token,
        path=subject.path,
        over=calls / RAMP_A_SECOND,
    )
    await harness.fake.order("know", calls=placed, seconds=KNOWN_SECONDS)
    await asyncio.sleep(warm_up)
    counted = await _count(running, harness, seconds)
    load, fake = await harness.load.order("report"), await harness.fake.order("report")
    await harness.load.order("hang_up")
    return read_window(calls, counted, load, fake)


async def _count(running: Running, harness: _Harness, seconds: float) -> Counted:
    """Let the calls go on for so long. To ask for metrics is no part of the window."""
    lag = read_histogram(await running.metrics(), LAG)
    await asyncio.sleep(2 * INTERVAL)
    before, own, taken = usage(running.pids), usage(harness.pids), stolen()
    begin = time.monotonic_ns() // 1000
    await asyncio.sleep(seconds)
    after, end = usage(running.pids), time.monotonic_ns() // 1000
    harness_cpu, taken = (usage(harness.pids) - own).cpu, stolen() - taken
    lag = read_histogram(await running.metrics(), LAG).since(lag)
    return Counted(begin, end, after - before, harness_cpu, lag, taken)
