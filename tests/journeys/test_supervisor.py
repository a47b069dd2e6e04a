"""
`bridge serve --workers 2` as it is run: one port, two workers, a real Redis, real signals.

Nobody moves a public origin here: the supervisor sends a carrier that asks what comes next
to a worker that lives.
"""

from __future__ import annotations

import asyncio
import os
import re
import signal
import time
from pathlib import Path

import pytest

from bridge.simulator.caller import SILENCE, Act, Caller, HungUp, Script, Wait
from bridge.simulator.report import CallReport
from tests.fakes.openai_realtime import FakeOpenAI, Say
from tests.fakes.openai_realtime import Script as Play
from tests.fakes.redis_server import RedisServer
from tests.journeys.stage import Stage, alive, bridge_process, openai, supervised_process, until
from tests.journeys.test_processes import exit_code

BAKERY = "tests.journeys.agents:bakery"
SLEEPER = "tests.journeys.agents:sleeper"
SECONDS = 80.0  # that a slow machine may take for anything
PATIENT = Play(otherwise=Say("Good day.", seconds=0.3))


async def live(stage: Stage) -> dict[str, int]:
    """How many calls each worker has."""
    return {
        worker: int(await stage.metric("bridge_calls_live", f'worker="{worker}"'))
        for worker in await stage.ready()
    }


async def calls_are(stage: Stage, count: int) -> dict[str, int]:
    """How many each worker has, as soon as there are so many in all."""
    async with asyncio.timeout(SECONDS):
        while sum((found := await live(stage)).values()) != count:
            await asyncio.sleep(0.05)
    return found


class Guest(Caller):
    """Says nothing, and stays on the line until the host wants to sleep."""

    def __init__(self) -> None:
        super().__init__(Script(Wait(600.0)))
        self.late = False

    def tick(self, now: float, heard: bytes, *, connected: bool) -> tuple[bytes, tuple[Act, ...]]:
        if self.late and not self.over:
            self.over = True
            return SILENCE, (HungUp(),)
        return super().tick(now, heard, connected=connected)


class Guests:
    """A number of them."""

    def __init__(self, stage: Stage) -> None:
        self._stage = stage
        self._guests: list[Guest] = []
        self._calls: list[asyncio.Task[CallReport]] = []

    def call(self, count: int) -> None:
        for _ in range(count):
            guest = Guest()
            call = self._stage.carrier.put_through(guest)
            self._guests.append(guest)
            self._calls.append(asyncio.create_task(call))

    async def leave(self) -> list[CallReport]:
        for guest in self._guests:
            guest.late = True
        return list(await asyncio.gather(*self._calls))


@pytest.mark.timeout(240)
async def test_a_bad_day(tmp_path: Path) -> None:
    """One supervisor, and what happens to it, act by act."""
    log = tmp_path / "log"
    with RedisServer() as redis:
        async with FakeOpenAI(PATIENT, tolerant=True) as fake:
            shared = {"REDIS_URL": redis.url, "BRIDGE_SECRET_KEY": "k" * 32}
            settings = openai(fake, **shared, BRIDGE_DRAIN_SECONDS="6")
            async with supervised_process(BAKERY, settings, log) as stage:
                await calls_are_shared_out_evenly(stage)
                await who_is_killed_costs_its_own_callers_a_moment(stage, log)
                await all_are_replaced_and_no_call_is_lost(stage)
                await without_a_supervisor_nobody_stays(stage)

    assert log.read_text().count("the supervisor is gone") == 2
    assert "Traceback" not in log.read_text()


async def calls_are_shared_out_evenly(stage: Stage) -> None:
    """In a burst, and one by one: what counts is who carries calls, not who was asked."""
    guests = Guests(stage)
    guests.call(8)
    burst = one_by_one = await calls_are(stage, 8)
    for count in range(9, 13):
        guests.call(1)
        one_by_one = await calls_are(stage, count)
    print(f"8 calls in a burst: {burst}; 4 more one by one: {one_by_one}")
    reports = await guests.leave()
    await calls_are(stage, 0)
    await asyncio.sleep(0.3)  # by then the supervisor has been told, too

    # A worker that was late just then is passed over in the burst, and catches up.
    assert all(3 <= calls <= 9 for calls in one_by_one.values())
    assert {report.ended.word for report in reports} == {"caller-hung-up"}


async def who_is_killed_costs_its_own_callers_a_moment(stage: Stage, log: Path) -> None:
    """Its calls go on in the other worker, whose own callers do not notice."""
    guests = Guests(stage)
    count = 4
    guests.call(count)
    shared_out = await calls_are(stage, count)
    while min(shared_out.values()) == 0:
        count += 1
        guests.call(1)
        shared_out = await calls_are(stage, count)
    victim = max(stage.workers)
    began = rf"worker (\d+) begins as process {victim}$"
    [number] = re.findall(began, log.read_text(), re.MULTILINE)
    os.kill(victim, signal.SIGKILL)
    await until(lambda: victim not in stage.workers, SECONDS)
    await calls_are(stage, count)
    async with asyncio.timeout(SECONDS):
        while len(await stage.ready()) < 2:
            await asyncio.sleep(0.05)
    reports = await guests.leave()

    assert {report.ended.word for report in reports} == {"caller-hung-up"}
    assert {len(report.streams) for report in reports} == {1, 2}
    assert sum(len(report.streams) == 2 for report in reports) == shared_out[number]
    assert all(report.violations == () for report in reports)


async def all_are_replaced_and_no_call_is_lost(stage: Stage) -> None:
    """One after the other; each call is handed over, once, and no stream breaks."""
    guests = Guests(stage)
    guests.call(2)
    await calls_are(stage, 2)
    before = stage.workers
    most = 0
    stage.stop(signal.SIGHUP)
    async with asyncio.timeout(SECONDS):
        while before & stage.workers:
            most = max(most, len(stage.workers))
            assert (await stage.ask("GET", "/readyz")).status_code == 200
            await asyncio.sleep(0.05)
    await calls_are(stage, 2)
    reports = await guests.leave()

    assert most == 3
    assert [len(report.streams) for report in reports] == [2, 2]
    assert not any(stream.broken for report in reports for stream in report.streams)
    assert {report.ended.word for report in reports} == {"caller-hung-up"}


async def without_a_supervisor_nobody_stays(stage: Stage) -> None:
    """Killed, it can tell nobody; its workers let go of their calls and end."""
    guests = Guests(stage)
    guests.call(2)
    await calls_are(stage, 2)
    workers = stage.workers
    stage.stop(signal.SIGKILL)
    await exit_code(stage)
    await until(lambda: not any(map(alive, workers)), SECONDS)
    reports = await guests.leave()

    assert len(workers) == 2
    assert {report.ended.word for report in reports} == {"webhook-failed"}


async def test_who_hangs_ends_itself(tmp_path: Path) -> None:
    """Somebody's code blocks the event loop: the process dies, and says whose it was."""
    log = tmp_path / "log"
    async with bridge_process(SLEEPER, {"BRIDGE_PROVIDER": "offline"}, log) as stage:
        placed = time.monotonic()
        guests = Guests(stage)
        guests.call(1)
        code = await exit_code(stage)
        seconds = time.monotonic() - placed
        await guests.leave()

    text = log.read_text()
    print(f"dead {seconds:.1f} s after the call was placed")
    assert code == -signal.SIGKILL
    assert seconds < 10.0
    assert "sleeps_in_the_loop" in text
    assert "the event loop has hung" in text
