"""A bridge that is full, or about to stop, takes no new calls and lets nobody down."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from bridge.agent.agent import Agent
from bridge.errors import Ending, Fault
from bridge.ports import leg, phrases
from bridge.simulator.caller import Say as CallerSays
from bridge.simulator.caller import Wait, WaitForAgent
from tests.fakes.openai_realtime import FakeOpenAI, Say, Script
from tests.journeys import sound
from tests.journeys.hand import HandMadeCall
from tests.journeys.stage import FALLBACK, INSTRUCTIONS, QUICK, on_stage, openai, until


async def test_the_call_too_many_is_refused_in_words() -> None:
    """The one in progress is not disturbed, and afterwards there is room again."""
    answer = sound.voice(1.0)
    agent = Agent(INSTRUCTIONS, vad=QUICK)
    script = Script(otherwise=Say("Yes?", audio=answer))
    async with (
        FakeOpenAI(script) as fake,
        on_stage(agent, openai(fake, BRIDGE_MAX_CALLS="1")) as stage,
    ):
        first = asyncio.create_task(
            stage.place(CallerSays(sound.word()), WaitForAgent(silence_seconds=1.5))
        )
        await fake.session(0)
        ready = await stage.ask("GET", "/readyz")
        refused = await stage.place(Wait(5))
        report = await first
        await until(lambda: stage.service.refusal is None)
        room = await stage.ask("GET", "/readyz")
        counted = await stage.metric("bridge_calls_refused_total", 'reason="full"')

    assert (ready.status_code, ready.json()["reason"]) == (404, "full")
    assert room.status_code == 200
    assert refused.twiml == ("Say Hangup",)
    assert any(phrases.TOO_BUSY in moment.text for moment in refused.timeline)
    assert counted == 1
    assert sound.ulaw_of(answer) in report.heard
    assert report.problems == ()
    assert len(fake.sessions) == 1


async def test_a_worker_that_cannot_keep_up_takes_no_more_calls() -> None:
    """Nobody hears that it stutters; who tries again comes in when it keeps up again."""
    async with (
        FakeOpenAI() as fake,
        on_stage(Agent(INSTRUCTIONS), openai(fake, BRIDGE_MAX_CALLS="")) as stage,
    ):
        calling = asyncio.create_task(stage.place(Wait(60)))
        await until(lambda: len(stage.service.switchboard) == 1)
        async with blocked_again_and_again():
            await until(lambda: stage.service.refusal == "overloaded")
            ready = await stage.ask("GET", "/readyz")
            refused = await stage.place(Wait(5))
        turned_away = 1
        async with asyncio.timeout(45):
            while await verbs(HandMadeCall(stage)) != ["Connect"]:
                turned_away += 1
                await asyncio.sleep(0.5)
        counted = await stage.metric("bridge_calls_refused_total", 'reason="overloaded"')
        for call in stage.service.switchboard:
            call.end(Ending(Fault.OPERATOR, "hung_up"), leg.Hangup())
        await calling

    assert (ready.status_code, ready.json()["reason"]) == (404, "overloaded")
    assert refused.twiml == ("Say Hangup",)
    assert counted == turned_away


async def test_calls_that_are_still_on_their_way_take_their_room() -> None:
    """Between webhook and stream a call is there already; asking twice takes room once."""
    async with (
        FakeOpenAI() as fake,
        on_stage(Agent(INSTRUCTIONS), openai(fake, BRIDGE_MAX_CALLS="1")) as stage,
    ):
        call, other = HandMadeCall(stage), HandMadeCall(stage)

        assert await verbs(call) == ["Connect"]
        assert await verbs(call) == ["Connect"]
        assert await verbs(other) == ["Say", "Hangup"]
        assert len(fake.sessions) == 1


async def test_a_bridge_that_is_told_to_stop_lets_its_calls_come_to_their_end() -> None:
    """New ones are refused meanwhile, and the platform is told so."""
    answer = sound.voice(1.0)
    agent = Agent(INSTRUCTIONS, vad=QUICK)
    script = Script(otherwise=Say("Yes?", audio=answer))
    async with (
        FakeOpenAI(script) as fake,
        on_stage(agent, openai(fake, BRIDGE_DRAIN_SECONDS="20")) as stage,
    ):
        calling = asyncio.create_task(stage.place(CallerSays(sound.word()), WaitForAgent(0.3)))
        await fake.session(0)
        draining = asyncio.create_task(stage.service.drain())
        await until(lambda: stage.service.switchboard.draining)
        ready = await stage.ask("GET", "/readyz")
        refused = await stage.place(Wait(5))
        report = await calling
        await draining

    assert (ready.status_code, ready.json()["reason"]) == (404, "draining")
    assert refused.twiml == ("Say Hangup",)
    assert report.ended.word == "caller-hung-up"
    assert sound.ulaw_of(answer) in report.heard


async def test_what_lasts_longer_than_the_drain_ends_in_words() -> None:
    """The carrier is still answered when it asks what comes next."""
    settings = {"BRIDGE_DRAIN_SECONDS": "0.2", "BRIDGE_FALLBACK_NUMBER": FALLBACK}
    async with (
        FakeOpenAI() as fake,
        on_stage(Agent(INSTRUCTIONS), openai(fake, **settings)) as stage,
    ):
        calling = asyncio.create_task(stage.place(Wait(20)))
        await until(lambda: len(stage.service.switchboard) == 1)
        await stage.service.drain()
        report = await calling

    assert report.twiml == ("Connect", "Say Dial")
    assert report.transfers == (FALLBACK,)


@asynccontextmanager
async def blocked_again_and_again() -> AsyncIterator[None]:
    """A loop in which somebody does for a long time what ought to take no time."""

    async def block() -> None:
        while True:
            time.sleep(0.08)
            await asyncio.sleep(0.01)

    blocking = asyncio.create_task(block())
    try:
        yield
    finally:
        blocking.cancel()
        await asyncio.wait([blocking])


async def verbs(call: HandMadeCall) -> list[str]:
    return [type(verb).__name__ for verb in await call.ask()]
