"""Signs of life, the carrier's word, and a look around."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace

import pytest

from bridge.call.rescue import RescueTimes
from bridge.errors import Ending
from bridge.ports import leg
from bridge.ports.fleet import Pulse
from bridge.ports.store import CallRecord
from bridge.store.fleet import MemoryFleet
from bridge.store.memory import MemoryStore
from bridge.telemetry.metrics import Metrics
from bridge.wiring.rescuer import Rescuer
from bridge.wiring.watchman import Watchman
from tests.store.fleet_contract import claimed
from tests.wiring.parts import CALL, until
from tests.wiring.rescues import FakeExchange, MoodyFleet

QUICK = RescueTimes(
    beat=0.01, gone=10.0, look=0.01, steady=0.0, grace=0.02, waiting=0.02, put_off=0.02
)
DEAD = Pulse("dead", path="/phone")


class Clock:
    """The loop's time, and what somebody adds to it."""

    def __init__(self) -> None:
        self.ahead = 0.0

    def __call__(self) -> float:
        return asyncio.get_running_loop().time() + self.ahead


@dataclass
class Scene:
    store: MemoryStore
    fleet: MoodyFleet
    exchange: FakeExchange
    watchman: Watchman
    metrics: Metrics
    clock: Clock

    @property
    def page(self) -> str:
        return self.metrics.render()[0].decode()

    async def some_looks(self, number: int = 5) -> None:
        """Wait until it must have looked around so often."""
        beats = self.fleet.beats + 3 * number
        await until(lambda: self.fleet.beats >= beats)

    async def somebody_dies(self) -> None:
        """A worker that has a call is not heard any more."""
        await self.fleet.beat(DEAD)
        await claimed(self.store, CALL, worker="dead")
        await self.fleet.leave(DEAD)
        self.clock.ahead += 6.0  # and the call's lease is over


@asynccontextmanager
async def on_watch(
    times: RescueTimes = QUICK, *, path: str | None = "", able: bool = True
) -> AsyncIterator[Scene]:
    """A watchman at work, and gone afterwards."""
    clock = Clock()
    store = MemoryStore(clock)
    fleet = MoodyFleet(MemoryFleet(store, clock))
    exchange, metrics = FakeExchange(), Metrics()

    async def end(call_id: str, ending: Ending, verdict: leg.Verdict) -> None:
        await store.end(call_id, verdict)

    rescuer = Rescuer(
        fleet, exchange, end=end, farewell=leg.Hangup(), carrier="twilio", count=metrics.rescued
    )
    watchman = Watchman(
        fleet,
        exchange,
        rescuer if able else None,
        lambda: Pulse("w1", calls=2),
        metrics,
        times=times,
        dice=lambda: 0.5,
    )
    watchman.path = path
    watchman.start()
    try:
        yield Scene(store, fleet, exchange, watchman, metrics, clock)
    finally:
        await watchman.close()
    assert fleet.closed
    assert exchange.closed


async def test_a_worker_shows_that_it_is_alive() -> None:
    """With how it is, and until it goes."""
    async with on_watch() as scene:
        await scene.some_looks()
        [member] = await scene.fleet.members()
        assert 'bridge_workers{state="alive"} 1.0' in scene.page
        assert member.pulse == Pulse("w1", calls=2, watching=True, path="")

    [member] = await scene.fleet.members()
    assert member.silent_seconds >= 600.0


async def test_a_store_that_is_down_is_borne() -> None:
    """Also at the end."""
    async with on_watch() as scene:
        scene.fleet.down = True
        await asyncio.sleep(0.05)
        scene.fleet.down = False
        await scene.some_looks()
        scene.fleet.down = True


async def test_the_carrier_says_that_a_leg_ended() -> None:
    """And nobody comes back: the carrier is told to ask, once, however often it says so."""
    async with on_watch(replace(QUICK, look=3600.0)) as scene:
        await claimed(scene.store, CALL)
        for _ in range(3):
            scene.watchman.leg_ended(CALL, 0)
        await until(lambda: scene.exchange.told)
        scene.watchman.leg_ended(CALL, 0)
        await asyncio.sleep(0.1)

    assert scene.exchange.told == [(CALL, "")]
    assert 'bridge_rescues_total{layer="callback",outcome="redirected"} 1.0' in scene.page


async def test_a_call_that_comes_back_needs_nobody() -> None:
    """Within the time that it is given, or long before the carrier's word arrives."""
    async with on_watch(replace(QUICK, look=3600.0)) as scene:
        await claimed(scene.store, CALL)
        scene.watchman.leg_ended(CALL, 0)
        await claimed(scene.store, CALL, worker="w2")
        await asyncio.sleep(0.1)
        scene.watchman.leg_ended(CALL, 0)
        scene.watchman.leg_ended(CALL, None)
        await asyncio.sleep(0.1)

    assert scene.exchange.told == []


async def test_after_a_failover_nobody_takes_the_store_s_word() -> None:
    """The call may have come back, and the store may have lost that."""
    async with on_watch(replace(QUICK, steady=3600.0)) as scene:
        await claimed(scene.store, CALL)
        await scene.some_looks()
        scene.fleet.other = "another one"
        await scene.some_looks()
        scene.watchman.leg_ended(CALL, 0)
        await asyncio.sleep(0.1)

    assert scene.exchange.told == []


async def test_a_dead_worker_s_call_is_found() -> None:
    """Where carriers find the bridge, this worker has learned from the dead one."""
    async with on_watch(path=None) as scene:
        await scene.somebody_dies()
        await until(lambda: scene.exchange.told)

    assert scene.exchange.told == [(CALL, "/phone")]
    assert 'bridge_rescues_total{layer="reaper",outcome="redirected"} 1.0' in scene.page


async def test_a_call_that_waits_for_ever_is_found() -> None:
    async with on_watch() as scene:
        claim = await claimed(scene.store, CALL, worker="w1")
        await scene.store.release(claim, CallRecord(CALL))
        await until(lambda: scene.exchange.told)

    assert scene.exchange.told == [(CALL, "")]


async def test_a_call_whose_caller_is_gone_is_found_out() -> None:
    """A tombstone, and nobody looks at it again."""
    async with on_watch() as scene:
        scene.exchange.over.add(CALL)
        await scene.somebody_dies()
        await until(lambda: 'layer="reaper",outcome="over"} 1.0' in scene.page)
        await scene.some_looks()

        assert await scene.fleet.adrift({"dead"}) == []


async def test_a_carrier_that_is_down_is_asked_again() -> None:
    """Later each time."""
    async with on_watch(replace(QUICK, reserved=0.0)) as scene:
        scene.exchange.down = True
        await scene.somebody_dies()
        await until(lambda: 'outcome="left"' in scene.page)
        scene.exchange.down = False
        await until(lambda: scene.exchange.told)


@pytest.mark.parametrize(
    "what", ["not yet steady", "most are dead", "another watches", "nobody knows the way", "unable"]
)
async def test_there_are_reasons_to_do_nothing(what: str) -> None:
    times = replace(QUICK, steady=3600.0) if what == "not yet steady" else QUICK
    path = None if what == "nobody knows the way" else ""
    async with on_watch(times, path=path, able=what != "unable") as scene:
        if what == "most are dead":
            await asyncio.gather(*(scene.fleet.beat(Pulse(f"silent{n}")) for n in range(2)))
            scene.clock.ahead += 2 * QUICK.gone
        if what == "another watches":
            await scene.fleet.beat(Pulse("w0", watching=True, path=""))
        claim = await claimed(scene.store, CALL, worker="dead")
        await scene.store.release(claim, CallRecord(CALL))
        await scene.some_looks()

    assert scene.exchange.told == []
