"""What the model's voice costs on its whole way through a call, beside writing it alone."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable

import pytest
from pytest_benchmark.fixture import BenchmarkFixture

from bridge.audio.formats import ULAW_8K
from bridge.audio.transcode import UNTOUCHED
from bridge.call.conductor import Conductor, Observer
from bridge.call.machine import Call
from bridge.call.patience import CallRules
from bridge.call.vocabulary import ModelReady
from bridge.carriers.twilio import TwilioLeg
from bridge.ports.server_events import AudioDelta
from bridge.ports.session import RealtimeConfig
from bridge.runner.runner import RealtimeRunner
from bridge.wire.twilio import media
from tests.bench.pairs import both, race
from tests.bench.test_wire_speed import SID, START, plain_write
from tests.fakes.model import FakeModel, FakeSession

pytestmark = pytest.mark.benchmark_only


class Telephone:
    """A carrier that is always one mark behind."""

    clogged = False

    def __init__(self) -> None:
        self.leg = TwilioLeg(self, float)
        self.written = 0
        self._next = ""

    def write(self, text: str) -> None:
        passed, self._next = self._next, json.loads(text)["mark"]["name"]
        if passed:
            self.leg.receive(media.write_event(media.Mark(SID, passed)))

    def write_audio(self, before: bytes, audio: bytes, behind: bytes, then: str) -> None:
        self.written += 1
        if then:
            self.write(then)

    def buffered(self) -> int:
        return 0

    def close(self, code: int) -> None: ...


async def conversation(runner: RealtimeRunner) -> tuple[Telephone, asyncio.Task[object]]:
    """A call in which the agent is heard."""
    telephone = Telephone()
    call = Call(CallRules(), ULAW_8K, asyncio.get_running_loop().time())
    conductor = Conductor(
        call,
        telephone.leg,
        runner,
        format=ULAW_8K,
        to_model=UNTOUCHED,
        to_caller=UNTOUCHED,
        observer=Observer(),
    )
    telephone.leg.receive(START)
    conducting = asyncio.create_task(conductor.conduct(runner.connect(), ModelReady()))
    while not call.begun:
        await asyncio.sleep(0)
    return telephone, conducting


def saying(session: FakeSession, telephone: Telephone) -> Callable[[bytes], object]:
    def say(audio: bytes) -> object:
        session.emit(AudioDelta("item", audio, "response"))
        return telephone.written

    return say


@both
async def test_a_delta_on_its_way_through_a_call(benchmark: BenchmarkFixture, make: str) -> None:
    """From the session to the carrier's socket, with the marks and their return."""
    model = FakeModel()
    runner = RealtimeRunner(model, RealtimeConfig())
    telephone, conducting = await conversation(runner)

    step = saying(model.session, telephone) if make == "ours" else plain_write
    race(benchmark, "a delta's way", make, step, bytes(800), at_most=1.4)

    conducting.cancel()
    await runner.close()
