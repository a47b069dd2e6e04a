"""The carrier's socket breaks in the middle of a call: the call comes back, and remembers."""

from __future__ import annotations

from bridge.agent.agent import Agent
from bridge.agent.context import CallContext
from bridge.agent.hooks import CallEnded, CallStarted
from bridge.ports import phrases
from bridge.simulator.caller import CutLine, HangUp, Step, Wait, WaitForAgent
from bridge.simulator.caller import Say as CallerSays
from tests.fakes.openai_realtime import FakeOpenAI, FakeSession, Say, Script
from tests.journeys import sound
from tests.journeys.figures import Recorder, note
from tests.journeys.stage import FALLBACK, INSTRUCTIONS, QUICK, on_stage, openai, until

STORY = "Once upon a time there was a baker who had three sons and no bread at all."


def told(session: FakeSession) -> list[tuple[str, str]]:
    """The conversation that a session was told: who, and what."""
    items = [event["item"] for event in session.said("conversation.item.create")]
    return [(item["role"], item["content"][0]["text"]) for item in items if "role" in item]


async def test_a_call_comes_back_with_its_memory(record_property: Recorder) -> None:
    """
    The line is cut while the agent speaks: on a new stream it takes up the thread, and does
    not greet a second time.
    """
    happened: list[str] = []
    agent = Agent(INSTRUCTIONS, greeting="Hello.", vad=QUICK)

    @agent.on("call_started")
    async def started(event: CallStarted, call: CallContext) -> None:
        happened.append("started")

    @agent.on("call_ended")
    async def ended(event: CallEnded, call: CallContext) -> None:
        happened.append(event.ending.reason)

    story, rest = sound.voice(6.0, seed=1), sound.voice(0.8, seed=2)
    first = Script(answers=[Say("Hello.", seconds=0.3), Say(STORY, audio=story)])
    second = Script(answers=[Say("He went into the wood.", audio=rest)])
    steps = (WaitForAgent(0.3), CallerSays(sound.word()), Wait(1.5), CutLine())
    async with FakeOpenAI(first, second) as fake, on_stage(agent, openai(fake)) as stage:
        report = await stage.place(*steps, WaitForAgent(silence_seconds=1.2))

        await until(lambda: all(session.closed for session in fake.sessions))
        live = await stage.metric("bridge_calls_live")

    [silence] = report.handovers
    _, new = fake.sessions
    heard_part = sound.heard_prefix(sound.ulaw_of(story), report.heard) / 48_000
    back = report.heard.index(sound.ulaw_of(rest)) / 8_000 - report.streams[0].ended_at
    note(record_property, "the line is back after (s)", [silence])
    note(record_property, "the agent is back after (s)", [back])
    assert [stream.broken for stream in report.streams] == [True, False]
    assert told(new)[:2] == [("assistant", "Hello."), ("user", "Hello.")]
    assert STORY.startswith(told(new)[2][1])
    assert abs(len(told(new)[2][1]) / len(STORY) - heard_part) < 0.15
    assert [event["response"]["instructions"] for event in new.said("response.create")] == [
        phrases.GO_ON
    ]
    assert sound.ulaw_of(rest) in report.heard
    assert happened == ["started", "hangup"]
    assert live == 0
    assert silence < 2.0
    assert report.violations == ()


async def test_a_caller_who_is_cut_off_is_asked_again() -> None:
    """What was being said when the line broke is lost, and the model knows it."""
    steps = (CallerSays(sound.word()), WaitForAgent(0.3), CallerSays(sound.word(seconds=0.5)))
    agent = Agent(INSTRUCTIONS, vad=QUICK)
    script = Script(otherwise=Say("Yes?", seconds=0.3))
    async with FakeOpenAI(script) as fake, on_stage(agent, openai(fake)) as stage:
        report = await stage.place(*steps, CutLine(), Wait(0.6))

        notes = [text for role, text in told(fake.sessions[1]) if role == "system"]

    assert notes == [phrases.ASK_AGAIN]
    assert len(report.streams) == 2


async def test_a_call_that_falls_again_and_again_is_let_go_in_words() -> None:
    """A loop of streams ends with an apology, or with a person."""
    for fallback in (None, FALLBACK):
        settings = {} if fallback is None else {"BRIDGE_FALLBACK_NUMBER": fallback}
        falling: list[Step] = [step for _ in range(8) for step in (Wait(0.15), CutLine())]
        agent = Agent(INSTRUCTIONS)
        async with FakeOpenAI() as fake, on_stage(agent, openai(fake, **settings)) as stage:
            report = await stage.place(*falling, Wait(5), HangUp())

            await until(lambda: all(session.closed for session in fake.sessions))

        assert len(report.streams) == 6
        assert any(phrases.APOLOGY in moment.text for moment in report.timeline)
        assert report.twiml[-1] == ("Say Hangup" if fallback is None else "Say Dial")
