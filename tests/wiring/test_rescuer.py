"""One call is brought back, by one worker, and only if it is lost."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field

import pytest

from bridge.call.rescue import MOST_RESCUES, Layer, Outcome, RescueTimes
from bridge.errors import Ending, Fault
from bridge.ports import leg
from bridge.ports.fleet import Holding
from bridge.ports.store import CallRecord
from bridge.store.fleet import MemoryFleet
from bridge.store.memory import MemoryStore
from bridge.wiring.rescuer import Rescuer
from tests.store.fleet_contract import claimed
from tests.wiring.parts import CALL
from tests.wiring.rescues import FakeExchange, MoodyFleet

FAREWELL = leg.Transfer("+14155550100", "One moment.")
TIMES = RescueTimes()


@dataclass
class Scene:
    """Somebody who rescues a call that was claimed by another worker."""

    now: float = 0.0
    ended: list[tuple[str, Ending, leg.Verdict]] = field(default_factory=list)
    counted: Counter[tuple[str, str]] = field(default_factory=Counter)
    lost: bool = True

    def __post_init__(self) -> None:
        self.store = MemoryStore(lambda: self.now)
        self.fleet = MoodyFleet(MemoryFleet(self.store, lambda: self.now))
        self.exchange = FakeExchange()
        self.rescuer = self.another()

    def another(self) -> Rescuer:
        """Whoever else could do it."""
        return Rescuer(
            self.fleet,
            self.exchange,
            end=self.end,
            farewell=FAREWELL,
            carrier="twilio",
            count=self.count,
        )

    async def end(self, call_id: str, ending: Ending, verdict: leg.Verdict) -> None:
        self.ended.append((call_id, ending, verdict))
        await self.store.end(call_id, verdict)

    def count(self, layer: str, outcome: str) -> None:
        self.counted[layer, outcome] += 1

    def still_lost(self, holding: Holding | None) -> bool:
        return self.lost

    async def rescue(self, layer: Layer = Layer.REAPER, *, by: Rescuer | None = None) -> Outcome:
        return await (by or self.rescuer).rescue(CALL, layer, self.still_lost, "/phone", TIMES)


@pytest.fixture
async def scene() -> Scene:
    scene = Scene()
    await claimed(scene.store, CALL)
    return scene


@pytest.mark.parametrize("layer", list(Layer))
async def test_the_carrier_is_told_to_ask_again(scene: Scene, layer: Layer) -> None:
    assert await scene.rescue(layer) is Outcome.REDIRECTED
    assert scene.exchange.told == [(CALL, "/phone")]
    assert scene.counted == {(layer, "redirected"): 1}
    assert scene.ended == []


async def test_one_worker_does_it(scene: Scene) -> None:
    """Until some seconds are over, the others leave it alone."""
    await scene.rescue()
    assert await scene.rescue(by=scene.another()) is Outcome.TAKEN
    scene.now = TIMES.reserved + 0.1

    assert await scene.rescue(by=scene.another()) is Outcome.REDIRECTED
    assert len(scene.exchange.told) == 2


async def test_a_call_that_came_back_is_left_alone(scene: Scene) -> None:
    """It is looked at once more, right before the carrier would be told."""
    scene.lost = False

    assert await scene.rescue() is Outcome.RECOVERED
    assert scene.exchange.told == []


@pytest.mark.parametrize("layer", list(Layer))
async def test_a_call_whose_caller_is_gone_ends(scene: Scene, layer: Layer) -> None:
    """The store knows it from then on."""
    scene.exchange.over.add(CALL)

    assert await scene.rescue(layer) is Outcome.OVER
    assert scene.ended == [(CALL, Ending(Fault.CALLER, "hangup"), leg.Hangup())]


@pytest.mark.parametrize("layer", list(Layer))
async def test_a_call_that_the_carrier_does_not_know_is_left(scene: Scene, layer: Layer) -> None:
    """It may be another account's, and well."""
    scene.exchange.unknown.add(CALL)

    assert await scene.rescue(layer) is Outcome.LEFT
    assert scene.ended == []


async def test_a_call_that_cannot_come_back_ends(scene: Scene) -> None:
    """Of a telephone whose worker is dead there is nothing left but the record."""
    claim = await claimed(scene.store, CALL)
    await scene.store.save(claim, CallRecord(CALL, carrier="sip"))

    outcome = await scene.rescuer.rescue(CALL, Layer.REAPER, lambda _: True, "", TIMES)

    assert outcome is Outcome.OVER
    assert [(call_id, ending.reason) for call_id, ending, _ in scene.ended] == [
        (CALL, "worker_lost")
    ]
    assert scene.exchange.told == []


async def test_a_carrier_that_does_not_answer_is_asked_another_time(scene: Scene) -> None:
    scene.exchange.down = True

    assert await scene.rescue() is Outcome.LEFT
    assert scene.ended == []


async def test_a_store_that_does_not_answer_stops_it(scene: Scene) -> None:
    """Nobody could tell whether the call is lost."""
    scene.fleet.down = True

    assert await scene.rescue(Layer.CALLBACK) is Outcome.LEFT
    assert scene.exchange.told == []


async def test_rescues_do_not_go_round_in_circles(scene: Scene) -> None:
    """A call that is lost again and again ends in words: the carrier asks, and is told so."""
    outcomes = []
    for _ in range(MOST_RESCUES + 1):
        outcomes.append(await scene.rescue())
        scene.now += TIMES.reserved + 0.1

    assert outcomes == [*[Outcome.REDIRECTED] * MOST_RESCUES, Outcome.GIVEN_UP]
    assert scene.ended == [(CALL, Ending(Fault.CARRIER, "loop"), FAREWELL)]
    assert len(scene.exchange.told) == MOST_RESCUES + 1
    assert (await scene.store.standing(CALL)).verdict == FAREWELL
