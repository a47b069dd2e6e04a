"""Whole calls over SIP: from a telephone's INVITE to the model and back."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator

import pytest

from bridge.agent.agent import Agent
from bridge.wire.sip import actions
from tests.carriers.sip.phone import FRAME, SILENCE, phone, until
from tests.fakes.openai_realtime import FakeOpenAI, Say, Script
from tests.fakes.redis_server import RedisServer
from tests.journeys import sound
from tests.journeys.sip_stage import sip_stage
from tests.journeys.stage import INSTRUCTIONS, QUICK, openai

LONG, SHORT = sound.voice(6.0, seed=1), sound.voice(0.4, seed=2)
SHORT_ULAW = sound.ulaw_of(SHORT)
WORD = sound.word(seconds=0.4)
TOLERANCE_MS = 100 + 100  # one mark's interval; the rest is this machine's clock


async def test_a_sip_caller_interrupts_the_agent() -> None:
    """
    What is said arrives on both sides; the agent is silent when it is spoken over, and knows
    how much of it was heard.
    """
    agent = Agent(INSTRUCTIONS, vad=QUICK)
    script = Script(answers=[Say("A long story.", audio=LONG), Say("Yes?", audio=SHORT)])
    long, short = sound.ulaw_of(LONG), SHORT_ULAW
    async with (
        FakeOpenAI(script) as fake,
        sip_stage(agent, openai(fake)) as sip,
        phone(sip.place()) as caller,
    ):
        await caller.calls()
        talking = asyncio.create_task(caller.talks(WORD + SILENCE * 30))
        await until(lambda: len(caller.voice) > 20 * FRAME)
        await talking
        await caller.talks(WORD + SILENCE * 30)
        await until(lambda: short[:FRAME] in caller.voice)
        [session] = fake.sessions
        await until(lambda: short in caller.voice)
        live = await sip.stage.metric("bridge_calls_live", 'carrier="sip"')
        listed = (await sip.stage.ask("GET", "/calls")).json()["calls"]
        caller.hangs_up()
        await until(lambda: not len(sip.stage.service.switchboard))
        ended = await sip.stage.metric("bridge_calls_ended_total", 'carrier="sip"', '"hangup"')
        interrupted = await sip.stage.metric("bridge_barge_ins_total")
        received = await sip.stage.metric("bridge_rtp_packets_total", 'outcome="received"')
        [told] = [said["audio_end_ms"] for said in session.said("conversation.item.truncate")]
        model_heard = bytes(session.received)

    heard_ms = sound.heard_prefix(long, caller.voice) / 8
    assert WORD[4 * FRAME : 8 * FRAME] in model_heard
    assert 0 < heard_ms < 5_000
    assert abs(told - heard_ms) <= TOLERANCE_MS
    assert (live, ended, interrupted) == (1, 1, 1)
    assert received > 50
    assert listed[0]["carrier"] == "sip"


async def test_a_full_bridge_is_busy() -> None:
    """The caller may try again, and is counted."""
    agent = Agent(INSTRUCTIONS, vad=QUICK)
    async with (
        FakeOpenAI(Script()) as fake,
        sip_stage(agent, openai(fake, BRIDGE_MAX_CALLS="1")) as sip,
        phone(sip.place()) as one,
        phone(sip.place()) as other,
    ):
        await one.calls()
        await until(lambda: len(sip.stage.service.switchboard))
        other.dials()
        refused = await other.told(actions.Ended)
        counted = await sip.stage.metric("bridge_calls_refused_total", 'carrier="sip"')

    assert (refused.status, refused.retry_after) == (486, 10)
    assert counted == 1


async def test_a_sip_call_is_not_handed_over(redis: RedisServer) -> None:
    """
    Nobody else could go on with it. It may last as long as a stopping worker waits, and ends
    in an apology; new calls are sent elsewhere.
    """
    agent = Agent(INSTRUCTIONS, greeting="Hello.", vad=QUICK)
    script = Script(otherwise=Say("Well.", audio=SHORT))
    keys = {"BRIDGE_SECRET_KEY": "k" * 32, "BRIDGE_DRAIN_SECONDS": "1"}
    async with (
        FakeOpenAI(script) as fake,
        sip_stage(agent, openai(fake, REDIS_URL=redis.url, **keys)) as sip,
        phone(sip.place()) as caller,
        phone(sip.place()) as late,
    ):
        await caller.calls()
        await until(lambda: SHORT_ULAW in caller.voice)
        assert sip.stage.bridge is not None
        draining = asyncio.create_task(sip.stage.bridge.drain())
        begun = caller.loop.time()
        await asyncio.sleep(0)
        late.dials()
        refused = await late.told(actions.Ended)
        await caller.told(actions.Ended)
        took = caller.loop.time() - begun
        await draining
        drained = await sip.stage.metric("bridge_calls_ended_total", '"drained"')

    assert (refused.status, refused.retry_after) == (503, 10)
    assert took >= 1.0
    assert drained == 1
    assert len(caller.voice) > len(SHORT_ULAW)  # an apology follows


@pytest.fixture
def redis() -> Iterator[RedisServer]:
    with RedisServer() as server:
        yield server
