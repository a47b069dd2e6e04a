"""A fault of ours in one call: that call comes back or ends in words, and no other notices."""

from __future__ import annotations

import asyncio
import logging
import time

import pytest

from bridge.agent.agent import Agent
from bridge.config import Config
from bridge.ports import phrases
from bridge.ports.leg import Verdict
from bridge.ports.store import Claim, Saved
from bridge.simulator.caller import Say as CallerSays
from bridge.simulator.caller import Wait, WaitForAgent
from bridge.store.memory import MemoryStore
from bridge.web.app import Bridge
from tests.fakes.openai_realtime import Call, FakeOpenAI, Say, Script
from tests.journeys import sound
from tests.journeys.stage import INSTRUCTIONS, QUICK, on_stage, openai, until


class FaultyStore(MemoryStore):
    """Breaks, in a way that no store may, as often as it is told to."""

    def __init__(self, *, claims: int = 0, ends: int = 0) -> None:
        super().__init__(time.monotonic)
        self.claims = claims
        self.ends = ends

    async def claim(self, call_id: str, *, fence: int, claim_id: str, worker: str) -> Claim | None:
        if self.claims > 0:
            self.claims -= 1
            raise ZeroDivisionError
        return await super().claim(call_id, fence=fence, claim_id=claim_id, worker=worker)

    async def end(self, call_id: str, verdict: Verdict, *, claim: Claim | None = None) -> Saved:
        if self.ends > 0:
            self.ends -= 1
            raise ZeroDivisionError
        return await super().end(call_id, verdict, claim=claim)

    def bridge(self, agent: Agent, config: Config) -> Bridge:
        return Bridge(agent, config, store=self)


async def test_a_fault_at_the_beginning_costs_a_stream(caplog: pytest.LogCaptureFixture) -> None:
    """The carrier asks what comes next, and the call begins on another one."""
    store = FaultyStore(claims=1)
    agent = Agent(INSTRUCTIONS, greeting="Hello.")
    script = Script(otherwise=Say("Hello.", seconds=0.3))
    async with (
        FakeOpenAI(script) as fake,
        on_stage(agent, openai(fake), make=store.bridge) as stage,
    ):
        report = await stage.place(WaitForAgent(0.3))

    assert report.first_words_seconds is not None
    assert len(report.streams) == 2
    assert "(1011)" in report.streams[0].ended
    assert [record.levelno for record in caplog.records if record.exc_info] == [logging.ERROR]


async def test_a_fault_at_the_end_costs_a_stream() -> None:
    """The model is asked to go on, and ends the call a second time."""
    store = FaultyStore(ends=1)
    script = Script(otherwise=[Say("Goodbye.", seconds=0.3), Call("hang_up")])
    async with (
        FakeOpenAI(script) as fake,
        on_stage(Agent(INSTRUCTIONS, vad=QUICK), openai(fake), make=store.bridge) as stage,
    ):
        word = CallerSays(sound.word())
        report = await stage.place(word, WaitForAgent(0.3), Wait(0.5), word, Wait(10))

    assert report.twiml == ("Connect", "Connect", "Hangup")


async def test_a_fault_that_stays_ends_in_words() -> None:
    """And a call beside it goes on in peace, with nothing left behind of either."""
    store = FaultyStore()
    answer = sound.voice(1.0)
    script = Script(otherwise=Say("Yes?", audio=answer))
    async with FakeOpenAI(script) as fake:
        async with on_stage(
            Agent(INSTRUCTIONS, vad=QUICK), openai(fake), make=store.bridge
        ) as stage:
            beside = asyncio.create_task(stage.place(CallerSays(sound.word()), WaitForAgent(0.3)))
            await until(lambda: len(stage.service.switchboard) == 1)
            store.claims = 100
            report = await stage.place(Wait(20))
            undisturbed = await beside
        await until(lambda: all(session.closed for session in fake.sessions))

    assert report.twiml == (*["Connect"] * 6, "Say Hangup")
    assert any(phrases.APOLOGY in moment.text for moment in report.timeline)
    assert sound.ulaw_of(answer) in undisturbed.heard
    assert undisturbed.problems == ()
