"""The agent speaks first, asks whether anybody is there, and ends what lasts too long."""

from __future__ import annotations

import asyncio

from bridge.agent.agent import Agent
from bridge.ports import phrases
from bridge.simulator.caller import Wait, WaitForAgent
from tests.fakes.openai_realtime import FakeOpenAI, FakeSession, Say, Script
from tests.journeys import sound
from tests.journeys.figures import Recorder, note
from tests.journeys.stage import INSTRUCTIONS, on_stage, openai


def wishes(session: FakeSession) -> list[str | None]:
    """With which instructions the model was asked to speak."""
    asked = [event.get("response") or {} for event in session.said("response.create")]
    return [response.get("instructions") for response in asked]


async def test_the_greeting_comes_at_once(record_property: Recorder) -> None:
    """
    The model is dialled while the carrier still connects, so that even a slow one has
    said hello soon after the pick-up.
    """
    agent = Agent(INSTRUCTIONS, greeting="Hello, this is the bakery.")
    script = Script(answers=[Say("Hello, this is the bakery.", seconds=0.5)], created_delay=0.1)
    async with FakeOpenAI(script) as fake, on_stage(agent, openai(fake)) as stage:
        calls = []
        for _ in range(8):
            calls.append(asyncio.create_task(stage.place(WaitForAgent(0.3))))
            await asyncio.sleep(0.1)
        reports = [await call for call in calls]

        asked = [wishes(session) for session in fake.sessions]

    first_words = [report.first_words_seconds or 99.0 for report in reports]
    note(record_property, "first words after pick-up (s)", first_words)
    assert asked == [[phrases.greet("Hello, this is the bakery.")]] * 8
    assert sorted(first_words)[4] < 1.0


async def test_silence_is_asked_about_twice_and_then_ends_the_call() -> None:
    """The caller hears the whole goodbye."""
    goodbye = sound.voice(0.7)
    agent = Agent(INSTRUCTIONS, silence_prompt_seconds=0.4)
    answers = [Say("Hello?", seconds=0.3), Say("Still there?", seconds=0.3)]
    script = Script(answers=[*answers, Say("Goodbye.", audio=goodbye)])
    async with FakeOpenAI(script) as fake, on_stage(agent, openai(fake)) as stage:
        report = await stage.place(Wait(20))

        assert wishes(fake.sessions[0]) == [
            phrases.STILL_THERE,
            phrases.STILL_THERE,
            phrases.GOODBYE_SILENCE,
        ]
        assert await stage.metric("bridge_calls_ended_total", 'reason="silence"') == 1

    assert sound.ulaw_of(goodbye) in report.heard
    assert report.ended.word == "hung-up"


async def test_the_longest_call_ends_with_a_goodbye() -> None:
    """However much there still is to say."""
    goodbye = sound.voice(0.7)
    agent = Agent(INSTRUCTIONS, greeting="Hello.", max_call_seconds=1.0)
    script = Script(answers=[Say("Hello.", seconds=0.3), Say("Goodbye.", audio=goodbye)])
    async with FakeOpenAI(script) as fake, on_stage(agent, openai(fake)) as stage:
        report = await stage.place(Wait(20))

        assert wishes(fake.sessions[0])[-1] == phrases.GOODBYE_TIME
        assert await stage.metric("bridge_calls_ended_total", 'reason="longest_call"') == 1

    assert sound.ulaw_of(goodbye) in report.heard
    assert report.ended.word == "hung-up"
    assert report.seconds < 10
