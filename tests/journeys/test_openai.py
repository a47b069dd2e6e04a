"""Whole calls to OpenAI's model: what is said arrives, and what is answered is heard."""

from __future__ import annotations

from bridge.agent.agent import Agent
from bridge.simulator.caller import Say as CallerSays
from bridge.simulator.caller import Wait, WaitForAgent
from tests.fakes.openai_realtime import FakeOpenAI, Say, Script
from tests.journeys import sound
from tests.journeys.figures import Recorder
from tests.journeys.stage import INSTRUCTIONS, PATIENT, on_stage, openai, speech


async def test_g711_passes_untouched() -> None:
    """Every byte of the caller's reaches the model, and every byte of the agent's the caller."""
    greeting, answer = sound.voice(0.6, seed=1), sound.voice(1.0, seed=2)
    script = Script(answers=[Say("Hello.", audio=greeting), Say("At seven.", audio=answer)])
    agent = Agent(INSTRUCTIONS, greeting="Hello.", vad=PATIENT)
    async with FakeOpenAI(script) as fake, on_stage(agent, openai(fake), noise=True) as stage:
        report = await stage.place(
            WaitForAgent(0.3), CallerSays(speech("yes")), WaitForAgent(0.3), Wait(0.2)
        )

        [session] = fake.sessions
        heard_by_model = bytes(session.received)

    assert whole_frames(speech("yes")) in heard_by_model
    assert heard_by_model in report.said
    assert sound.ulaw_of(greeting) in report.heard
    assert sound.ulaw_of(answer) in report.heard
    assert session.session["audio"]["input"]["format"] == {"type": "audio/pcmu"}
    assert report.problems == ()
    assert report.ended.word == "caller-hung-up"


async def test_pcm16_is_resampled_cleanly(record_property: Recorder) -> None:
    """At 24 kHz either way the sound is the same, as far as G.711 can tell, and at once."""
    script = Script(answers=[Say("Of course.", audio=sound.pcm24_of(speech("thanks")))])
    agent = Agent(INSTRUCTIONS, vad=PATIENT)
    async with (
        FakeOpenAI(script) as fake,
        on_stage(agent, openai(fake, BRIDGE_AUDIO="pcm16"), noise=True) as stage,
    ):
        report = await stage.place(CallerSays(speech("yes")), WaitForAgent(0.3))

        [session] = fake.sessions
        heard_by_model = sound.samples(bytes(session.received))

    asked = sound.match(sound.samples(sound.pcm24_of(speech("yes"))), heard_by_model)
    answered = sound.match(
        sound.samples_of_ulaw(speech("thanks")), sound.samples_of_ulaw(report.heard)
    )
    record_property("caller to model", str(asked))
    record_property("agent to caller", str(answered))
    assert session.session["audio"]["input"]["format"] == {"type": "audio/pcm", "rate": 24_000}
    assert asked.snr_db > 40
    assert answered.snr_db > 40
    assert abs(asked.gain_db) < 0.1
    assert abs(answered.gain_db) < 0.1
    assert asked.at <= 4 * 24  # samples: the caller speaks from the first frame on
    assert report.problems == ()


def whole_frames(ulaw: bytes) -> bytes:
    """Frames of 20 ms, the last of them filled up as the caller's telephone does it."""
    return ulaw.ljust(-(-len(ulaw) // 160) * 160, b"\xff")
