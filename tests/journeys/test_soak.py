"""
Many calls, one after another and at once: afterwards everything is as it was before.

The bridge is a process of its own, so that what is measured is the bridge's.
"""

from __future__ import annotations

import asyncio
import gc
import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

from bridge.agent.agent import Agent
from bridge.carriers.twilio import TwilioLeg
from bridge.runner.runner import RealtimeRunner
from bridge.simulator.caller import Say as CallerSays
from bridge.simulator.caller import Step, Wait, WaitForAgent
from bridge.simulator.report import CallReport
from bridge.wiring.attendant import Attendant
from tests.fakes.openai_realtime import FakeOpenAI, Say, Script
from tests.journeys import sound
from tests.journeys.figures import Recorder, note
from tests.journeys.stage import INSTRUCTIONS, QUICK, Stage, bridge_process, on_stage, openai, until

BAKERY = "tests.journeys.agents:bakery"
WARM_UP = 8
AT_ONCE = 20
GROWTH = 8 * 1024 * 1024  # bytes of memory that an allocator may keep for itself


@dataclass(frozen=True, slots=True)
class Possessions:
    """What a process holds: open files and sockets, threads, memory."""

    files: int
    threads: int
    memory: int

    @classmethod
    def of(cls, pid: int) -> Possessions:
        process = Path(f"/proc/{pid}")
        pages = int((process / "statm").read_text().split()[1])
        return cls(
            len(list((process / "fd").iterdir())),
            len(list((process / "task").iterdir())),
            pages * os.sysconf("SC_PAGE_SIZE"),
        )


@asynccontextmanager
async def a_bridge(log: Path) -> AsyncIterator[tuple[Stage, FakeOpenAI]]:
    """A process, and a provider that greets for half a second and answers for one."""
    hello = Say("Hello.", seconds=0.5)
    script = Script(answers=[hello], otherwise=Say("Yes?", audio=sound.voice(1.0)))
    async with (
        FakeOpenAI(script, record=False) as fake,
        bridge_process(BAKERY, openai(fake, BRIDGE_LOG_LEVEL="WARNING"), log) as stage,
    ):
        yield stage, fake
    assert log.read_text() == ""


async def test_calls_in_a_row_and_at_once(tmp_path: Path, record_property: Recorder) -> None:
    """Two dozen one after another and twenty at once: each is answered as if it were alone."""
    async with a_bridge(tmp_path / "log") as (stage, fake):
        await at_once(stage, fake)
        before = await possessions(stage)
        await one_after_another(24, stage, fake, Wait(0.5))
        reports = await at_once(stage, fake)
        after = await possessions(stage)

    compare(before, after, record_property)
    replies = [reply.seconds or 99.0 for report in reports for reply in report.replies]
    note(record_property, "reply to one of twenty (s)", replies)
    assert len(replies) == AT_ONCE


def of_a_call() -> list[object]:
    """What there should be only while there are calls; other tests may have left some."""
    gc.collect()
    kinds = (Attendant, RealtimeRunner, TwilioLeg)
    return [each for each in gc.get_objects() if isinstance(each, kinds)]


async def test_no_task_and_no_call_is_left() -> None:
    """Seen from inside: tasks, legs, runners and attendants."""
    earlier = of_a_call()
    script = Script(otherwise=Say("Yes?", seconds=0.3))
    agent = Agent(INSTRUCTIONS, vad=QUICK)
    async with FakeOpenAI(script) as fake, on_stage(agent, openai(fake)) as stage:
        before = {task.get_name() for task in asyncio.all_tasks()}
        await asyncio.gather(
            *(stage.place(CallerSays(sound.word()), WaitForAgent(0.3)) for _ in range(6))
        )
        await until(lambda: {task.get_name() for task in asyncio.all_tasks()} == before)

        assert [type(each).__name__ for each in of_a_call() if each not in earlier] == []
        assert len(stage.service.tallies) == 0
        assert len(stage.service.switchboard) == 0
        assert all(session.closed for session in fake.sessions)


@pytest.mark.soak
async def test_two_hundred_calls_of_two_seconds(tmp_path: Path, record_property: Recorder) -> None:
    """One after another, then twenty at once."""
    async with a_bridge(tmp_path / "log") as (stage, fake):
        await at_once(stage, fake)
        await one_after_another(WARM_UP, stage, fake, Wait(2.0))
        before = await possessions(stage)
        await one_after_another(200, stage, fake, Wait(2.0))
        await at_once(stage, fake)
        after = await possessions(stage)

    compare(before, after, record_property)


async def one_after_another(count: int, stage: Stage, fake: FakeOpenAI, step: Step) -> None:
    for _ in range(count):
        report = await stage.place(step)
        assert report.first_words_seconds is not None
        assert report.violations == ()
        await forget(fake)


async def at_once(stage: Stage, fake: FakeOpenAI) -> list[CallReport]:
    steps = (WaitForAgent(0.3), CallerSays(sound.word()), WaitForAgent(0.3))
    reports = await asyncio.gather(*(stage.place(*steps) for _ in range(AT_ONCE)))
    for report in reports:
        assert sound.ulaw_of(sound.voice(1.0)) in report.heard
        assert report.violations == ()
    await forget(fake)
    return list(reports)


async def forget(fake: FakeOpenAI) -> None:
    """Until the bridge has let go of the provider; what was said is not kept."""
    await until(lambda: all(session.closed for session in fake.sessions))
    fake.sessions.clear()


async def possessions(stage: Stage) -> Possessions:
    """What the bridge holds, as soon as it has let go of all its calls."""
    assert stage.process is not None
    async with asyncio.timeout(20):
        while await stage.metric("bridge_calls_live") > 0:
            await asyncio.sleep(0.05)
    await asyncio.sleep(0.3)  # the last sockets close behind the calls
    return Possessions.of(stage.process.pid)


def compare(before: Possessions, after: Possessions, record_property: Recorder) -> None:
    grown = (after.memory - before.memory) / 1024 / 1024
    record_property("memory grown by (MiB)", round(grown, 2))
    print(f"before {before}, after {after}, grown by {grown:.2f} MiB")
    assert after.files <= before.files
    assert after.threads <= before.threads
    assert after.memory - before.memory < GROWTH
