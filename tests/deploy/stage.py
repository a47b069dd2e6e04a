"""
Workers of a bridge behind a balancer, and a carrier that knows the balancer only.

A real Redis, real processes, and the balancer's own file from `deploy/`. The last worker
is in this process and stays. The model is a fake that talks whenever it is asked to.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Generic, TypeVar

import httpx

from bridge.simulator.caller import Wait
from bridge.simulator.report import CallReport
from tests.fakes.balancer import Balancer
from tests.fakes.openai_realtime import FakeOpenAI, Say, Script
from tests.fakes.redis_server import RedisServer
from tests.journeys.agents import bakery
from tests.journeys.stage import PUBLIC, Stage, bridge_process, on_stage, openai

__all__ = ["Call", "Outage", "Site", "site"]

TARGET = "tests.journeys.agents:bakery"
ANSWER = Say("As I was saying.", seconds=60.0, pace=0.1)
SILENCE = bytes((0xFF, 0x7F))  # mu-law
BYTES_A_SECOND = 8_000
LONGEST = 60.0  # seconds of a call, and of waiting: for a machine that has much else to do

B = TypeVar("B", bound=Balancer)


@dataclass(frozen=True, slots=True)
class Outage:
    """A stream broke `at` this time of the loop's; the caller heard nothing for so long."""

    at: float
    silence: float


@dataclass(frozen=True, slots=True)
class Call:
    """A call that was placed when the loop's time was `at`."""

    at: float
    report: asyncio.Task[CallReport]

    async def outages(self) -> list[Outage]:
        """All of them, when the call is over: by the operator, or the test fails."""
        report = await self.report
        assert report.ended.word == "hung-up", report.render()
        assert report.violations == ()
        # A moment later, when the broken stream is heard no more.
        ends = [stream.ended_at + 0.001 for stream in report.streams if stream.broken]
        return [Outage(self.at + end, _silence_at(report, end)) for end in ends]


@dataclass(frozen=True, slots=True)
class Site(Generic[B]):
    """What an operator has. The last worker stays, whatever happens to the others."""

    balancer: B
    workers: tuple[Stage, ...]

    def calls(self, count: int) -> list[Call]:
        """Place so many calls, by way of the balancer. They last until the operator ends them."""
        now = asyncio.get_running_loop().time()
        place = self.workers[-1].place
        return [Call(now, asyncio.create_task(place(Wait(LONGEST)))) for _ in range(count)]

    async def hang_up(self, *workers: Stage) -> None:
        """The operator ends all calls of these workers."""
        for worker in workers:
            for call in (await _asked(worker, "GET", "/calls")).json()["calls"]:
                await _asked(worker, "DELETE", f"/calls/{call['call']}")

    async def live(self, calls: int) -> list[int]:
        """How many calls each worker has, as soon as there are so many in all; 0 for the dead."""
        async with asyncio.timeout(LONGEST):
            while sum(found := [await _live(worker) for worker in self.workers]) != calls:
                await asyncio.sleep(0.05)
            return found


@asynccontextmanager
async def site(kind: type[B], logs: Path, processes: int) -> AsyncIterator[Site[B]]:
    """So many workers that are processes, and one here. The balancer knows all of them."""
    talks = Script(otherwise=ANSWER)
    origins: dict[str, str] = {}
    async with AsyncExitStack() as stack:
        redis = stack.enter_context(RedisServer())
        fake = await stack.enter_async_context(FakeOpenAI(talks, tolerant=True))
        shared = {"REDIS_URL": redis.url, "BRIDGE_SECRET_KEY": "k" * 32}
        settings = openai(fake, BRIDGE_DRAIN_SECONDS="20", **shared)
        mortal = [bridge_process(TARGET, settings, logs / f"{n}.log") for n in range(processes)]
        started = [await stack.enter_async_context(worker) for worker in mortal]
        stays = await stack.enter_async_context(on_stage(bakery, settings, origins=origins))
        workers = (*started, stays)
        balancer: B = kind(*(worker.origin for worker in workers))
        stack.enter_context(balancer)
        origins[PUBLIC] = balancer.origin
        yield Site(balancer, workers)


async def _asked(worker: Stage, method: str, path: str) -> httpx.Response:
    """The answer; on a machine that has much else to do the store may be late, which is a 503."""
    async with asyncio.timeout(LONGEST):
        while (answer := await worker.ask(method, path)).status_code == 503:
            await asyncio.sleep(0.1)
        return answer


async def _live(worker: Stage) -> int:
    try:
        page = await worker.ask("GET", "/metrics", timeout=1)
    except httpx.HTTPError:
        return 0
    found = re.search(r'^bridge_calls_live{carrier="twilio"} (\d+)', page.text, re.MULTILINE)
    return int(found[1]) if found else 0


def _silence_at(report: CallReport, seconds: float) -> float:
    """How long the silence lasts that the caller hears at this moment of the call."""
    here = round(seconds * BYTES_A_SECOND)
    before, after = report.heard[:here], report.heard[here:]
    silent = len(before) - len(before.rstrip(SILENCE)) + len(after) - len(after.lstrip(SILENCE))
    return silent / BYTES_A_SECOND
