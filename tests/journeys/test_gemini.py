"""Whole calls to Gemini: what is said arrives, and what is answered is heard."""

from __future__ import annotations

from scipy import signal

from bridge.agent.agent import Agent
from bridge.simulator.caller import Say as CallerSays
from bridge.simulator.caller import Wait, WaitForAgent
from tests.fakes.gemini_live import FakeGemini
from tests.fakes.gemini_script import Calls, Say, Script, call
from tests.journeys import sound
from tests.journeys.figures import Recorder
from tests.journeys.stage import INSTRUCTIONS, PATIENT, QUICK, gemini, on_stage, speech


async def test_the_sound_is_the_same_either_way(record_property: Recorder) -> None:
    """16 kHz in, 24 kHz out: the same as far as G.711 can tell, and at once."""
    script = Script(answers=[[Say("Of course.", pcm=sound.pcm24_of(speech("thanks")))]])
    agent = Agent(INSTRUCTIONS, vad=PATIENT)
    async with FakeGemini(script) as fake, on_stage(agent, gemini(fake), noise=True) as stage:
        report = await stage.place(CallerSays(speech("yes")), WaitForAgent(0.3))

        [session] = fake.sessions
        heard_by_model = sound.samples(bytes(session.audio))

    said = signal.resample_poly(sound.samples_of_ulaw(speech("yes")), 2, 1)
    asked = sound.match(said, heard_by_model)
    answered = sound.match(
        sound.samples_of_ulaw(speech("thanks")), sound.samples_of_ulaw(report.heard)
    )
    record_property("caller to model", str(asked))
    record_property("agent to caller", str(answered))
    assert asked.snr_db > 40
    assert answered.snr_db > 40
    assert abs(asked.gain_db) < 0.1
    assert abs(answered.gain_db) < 0.1
    assert asked.at <= 4 * 16  # samples: the caller speaks from the first frame on
    assert report.problems == ()


async def test_the_agent_greets_uses_a_tool_and_says_goodbye() -> None:
    """A whole conversation, to the last word."""
    days: list[str] = []
    greeting, hours, goodbye = (sound.voice(0.8, seed=seed) for seed in range(3))
    script = Script(
        answers=[
            [Say("Hello.", pcm=greeting)],
            [Calls((call("opening_hours", "c-1", day="Monday"),)), Say("At seven.", pcm=hours)],
            [Say("Goodbye.", pcm=goodbye), Calls((call("hang_up", "c-2"),))],
        ]
    )
    agent = Agent(INSTRUCTIONS, greeting="Hello.", vad=QUICK)

    @agent.tool
    async def opening_hours(day: str) -> str:
        """When the bakery is open."""
        days.append(day)
        return "seven to six"

    asks = (WaitForAgent(0.3), CallerSays(sound.word()))
    async with FakeGemini(script) as fake, on_stage(agent, gemini(fake)) as stage:
        report = await stage.place(*asks, *asks, Wait(10))

        answered = fake.sessions[0].sent("tool_response")

    assert days == ["Monday"]
    assert answered[0].function_responses[0].response == {"result": "seven to six"}
    for voice in (greeting, hours, goodbye):
        original = signal.resample_poly(sound.samples(voice), 1, 3)
        assert sound.match(original, sound.samples_of_ulaw(report.heard)).snr_db > 20
    assert report.ended.word == "hung-up"
    assert report.problems == ()
