"""Which things are done to how many calls, and a run of it."""

from __future__ import annotations

import asyncio
import itertools
import random
from collections.abc import Iterator
from dataclasses import dataclass, replace

from tests.chaos.caller import NumberedCaller
from tests.chaos.lag import Pulse
from tests.chaos.nemesis import FAULTS, REDIS_SECONDS, Nemesis
from tests.chaos.records import CallFacts, Fault, Recorded
from tests.chaos.stage import Needs, Stage, on_stage

__all__ = ["SCENARIOS", "Scenario", "perform"]

STAGGER_SECONDS = 0.05  # from one call to the next
WARM_SECONDS = 4.0  # of the calls, before the first fault
SETTLE_SECONDS = 8.0  # of the calls, after the last one


@dataclass(frozen=True, slots=True)
class Scenario:
    """`faults` happen in turns, or at random where `shuffled`, one every so many seconds."""

    name: str
    faults: tuple[str, ...]
    every: float = 8.0
    """More legs than five within thirty seconds would be a loop, which the bridge ends."""
    calls: int = 40
    seconds: float = 60.0
    workers: int = 3
    provider: str = "openai"
    redis: str = "plain"
    front: str = "haproxy"
    shuffled: bool = False
    most: int = 1_000
    """Faults; some things can be done only once."""
    settle: float = SETTLE_SECONDS
    warm: float = WARM_SECONDS
    redis_seconds: float = REDIS_SECONDS
    """For which Redis is away, each time."""

    def shortened(self) -> Scenario:
        """Each fault once, by two workers, as quickly as it can be."""
        return replace(
            self,
            every=1.5,
            seconds=50.0,
            workers=2,
            most=len(self.faults),
            warm=2.5,
            settle=4.0,
            redis_seconds=1.0,
        )

    @property
    def needs(self) -> Needs:
        return Needs(self.provider, self.workers, self.redis, self.front)


SCENARIOS: dict[str, Scenario] = {
    scenario.name: scenario
    for scenario in (
        Scenario("kill", ("kill",), seconds=120),
        Scenario("kill-supervised", ("kill",), front="supervisor"),
        Scenario("kill-gemini", ("kill",), calls=20, provider="gemini"),
        Scenario("stop", ("stop",), every=2.0),
        Scenario("stop-supervised", ("stop",), every=2.0, front="supervisor"),
        Scenario("hang", ("hang",), every=9.0),
        Scenario("redis", ("redis", "redis+kill"), every=9.0, redis="kept"),
        Scenario("redis-empty", ("redis+kill",), every=9.0),
        Scenario("redis-hang", ("redis-hang",), every=7.0),
        Scenario("failover", ("failover",), redis="watched", most=1, seconds=40),
        Scenario("provider", ("provider",)),
        Scenario("provider-gemini", ("provider",), calls=20, provider="gemini"),
        Scenario("carrier", ("carrier",)),
        Scenario(
            "random",
            ("kill", "stop", "hang", "redis+kill", "redis-hang", "provider", "carrier"),
            every=8.0,
            seconds=120,
            shuffled=True,
        ),
    )
}


async def perform(scenario: Scenario, seed: int) -> Recorded:
    """Run it from the first call to the last, and bring back all records."""
    async with on_stage(scenario.needs) as stage, Pulse() as pulse:
        loop = asyncio.get_running_loop()
        began = loop.time()
        broken: list[str] = []
        async with asyncio.TaskGroup() as tasks:
            calls = [
                tasks.create_task(_call(stage, number, broken), name=f"call {number}")
                for number in range(scenario.calls)
            ]
            faults = await _haunt(scenario, stage, random.Random(seed))
            for caller in stage.callers:
                caller.until = loop.time() + scenario.settle
        seconds = loop.time() - began
        theirs = await stage.provider.finish()
        return Recorded(
            [facts for call in calls if (facts := call.result()) is not None],
            theirs.sessions,
            faults,
            theirs.problems,
            [*broken, *stage.fleet.complaints()],
            [*pulse.stalls, *theirs.stalls],
            max(pulse.worst, theirs.lag),
            seconds,
        )


async def _call(stage: Stage, number: int, broken: list[str]) -> CallFacts | None:
    loop = asyncio.get_running_loop()
    await asyncio.sleep(number * STAGGER_SECONDS)
    caller = NumberedCaller(number)
    stage.callers.append(caller)
    placed_at = loop.time()
    try:
        report = await stage.carrier.put_through(caller)
    except Exception as exc:
        broken.append(f"call {number}: {exc!r}")
        return None
    return CallFacts.of(caller, report, placed_at)


async def _haunt(scenario: Scenario, stage: Stage, dice: random.Random) -> list[Fault]:
    """Do one thing after the other, until there is only time left to settle."""
    loop = asyncio.get_running_loop()
    nemesis = Nemesis(stage, dice, redis_seconds=scenario.redis_seconds)
    done: list[Fault] = []
    end = loop.time() + scenario.seconds - scenario.settle
    due = loop.time() + scenario.calls * STAGGER_SECONDS + scenario.warm
    for what in itertools.islice(_choices(scenario, dice), scenario.most):
        if due >= end:
            break
        await asyncio.sleep(max(due - loop.time(), 0.0))
        at = loop.time()
        await FAULTS[what](nemesis)
        done.append(Fault(at, what, loop.time() - at))
        due = max(due + scenario.every, loop.time())
    if scenario.most > len(done):
        await asyncio.sleep(max(end - loop.time(), 0.0))
    return done


def _choices(scenario: Scenario, dice: random.Random) -> Iterator[str]:
    if not scenario.shuffled:
        return itertools.cycle(scenario.faults)
    return (dice.choice(scenario.faults) for _ in itertools.count())
