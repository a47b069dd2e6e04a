"""The model acts in the middle of a call: tools, hanging up, transferring, pressed keys."""

from __future__ import annotations

import asyncio
import json

from bridge.agent.agent import Agent
from bridge.agent.context import CallContext
from bridge.agent.hooks import DigitPressed
from bridge.functions.results import MAX_SIZE
from bridge.simulator.caller import HangUp, Press, Wait, WaitForAgent
from bridge.simulator.caller import Say as CallerSays
from tests.fakes.openai.script import Step
from tests.fakes.openai_realtime import Call, FakeOpenAI, FakeSession, Say, Script
from tests.journeys import sound
from tests.journeys.stage import INSTRUCTIONS, QUICK, on_stage, openai, until

RECEPTION = "+14155550100"
GOODBYE = sound.voice(2.0)


def outputs(session: FakeSession) -> dict[str, str]:
    """What the tools answered, by call."""
    items = [event["item"] for event in session.said("conversation.item.create")]
    outputs = [item for item in items if item["type"] == "function_call_output"]
    return {item["call_id"]: item["output"] for item in outputs}


async def test_parallel_tools_answer_in_one_turn() -> None:
    """
    Both run at once while the caller goes on to be heard; the model is told all of the
    answers, and asked to go on once.
    """
    running = asyncio.Event()
    both = asyncio.Barrier(2)
    agent = Agent(INSTRUCTIONS, vad=QUICK)

    @agent.tool
    async def opening_hours(day: str) -> str:
        """When the bakery is open."""
        running.set()
        await both.wait()
        return f"{day}: seven to six"

    @agent.tool
    async def bread_left(kind: str) -> int:
        """How many loaves are left."""
        await both.wait()
        return 3

    calls = [
        Call("opening_hours", {"day": "Monday"}, "a"),
        Call("bread_left", {"kind": "rye"}, "b"),
    ]
    answer = sound.voice(0.8)
    script = Script(answers=[[Say("Let me see.", seconds=0.3), *calls], Say("Yes.", audio=answer)])
    async with FakeOpenAI(script) as fake, on_stage(agent, openai(fake)) as stage:
        report = await stage.place(CallerSays(sound.word()), WaitForAgent(0.3))

        [session] = fake.sessions

    assert outputs(session) == {"a": "Monday: seven to six", "b": "3"}
    assert len(session.said("response.create")) == 1
    assert running.is_set()
    assert sound.ulaw_of(answer) in report.heard
    assert report.problems == ()


async def test_a_tool_that_raises_is_the_models_to_explain() -> None:
    """The call goes on, and the model is told that it failed, without a word of how."""
    agent = Agent(INSTRUCTIONS, vad=QUICK)

    @agent.tool
    async def opening_hours() -> str:
        """When the bakery is open."""
        raise RuntimeError("the password of the database is hunter2")

    script = Script(answers=[Call("opening_hours", call_id="a"), Say("Sorry.", seconds=0.5)])
    async with FakeOpenAI(script) as fake, on_stage(agent, openai(fake)) as stage:
        report = await stage.place(CallerSays(sound.word()), WaitForAgent(0.3))

        output = json.loads(outputs(fake.sessions[0])["a"])

    assert "error" in output
    assert "hunter2" not in str(output)
    assert report.problems == ()


async def test_tools_at_their_worst() -> None:
    """One hangs, one returns ten megabytes, one is called wrongly: the model is told of each."""
    agent = Agent(INSTRUCTIONS, vad=QUICK)

    @agent.tool(timeout=0.2)
    async def hangs() -> None:
        """Never answers."""
        await asyncio.Event().wait()

    @agent.tool
    async def floods() -> str:
        """Answers and answers."""
        return "x" * 10_000_000

    @agent.tool
    async def counts(number: int) -> int:
        """Wants a number."""
        return number

    calls = [
        Call("hangs", call_id="a"),
        Call("floods", call_id="b"),
        Call("counts", {"number": "a few"}, "c"),
    ]
    answer = sound.voice(0.6)
    async with (
        FakeOpenAI(Script(answers=[calls, Say("Sorry.", audio=answer)])) as fake,
        on_stage(agent, openai(fake)) as stage,
    ):
        report = await stage.place(CallerSays(sound.word()), WaitForAgent(0.3))
        answers = outputs(fake.sessions[0])

    assert json.loads(answers["a"])["error"]["code"] == "timeout"
    assert MAX_SIZE < len(answers["b"]) < MAX_SIZE + 100
    assert json.loads(answers["c"])["error"]["code"] == "invalid_arguments"
    assert sound.ulaw_of(answer) in report.heard
    assert report.problems == ()


async def test_the_caller_hears_the_whole_goodbye() -> None:
    """
    The call ends by the document, and not before the last word was heard: whether the model
    speaks before it calls the tool, or afterwards.
    """
    words, hang_up = Say("Goodbye.", audio=GOODBYE), Call("hang_up")
    await asyncio.gather(the_agent_ends([words, hang_up]), the_agent_ends([hang_up], [words]))


async def the_agent_ends(*answers: list[Step]) -> None:
    agent = Agent(INSTRUCTIONS, vad=QUICK)
    async with FakeOpenAI(Script(answers=answers)) as fake, on_stage(agent, openai(fake)) as stage:
        report = await stage.place(CallerSays(sound.word()), Wait(15))

        assert await stage.metric("bridge_calls_ended_total", 'reason="agent_hung_up"') == 1
        await until(lambda: all(session.closed for session in fake.sessions))

    assert sound.ulaw_of(GOODBYE) in report.heard
    assert report.ended.word == "hung-up"
    assert report.twiml == ("Connect", "Hangup")
    assert report.problems == ()


async def test_a_transfer_dials_who_was_named() -> None:
    """Only a name from the agent's list is dialled, after what is being said was heard."""
    words = sound.voice(1.0)
    agent = Agent(INSTRUCTIONS, vad=QUICK, transfer_targets={"reception": RECEPTION})
    script = Script(
        answers=[
            [Call("transfer", {"target": "+15005550009"}, "a")],
            [Say("I connect you.", audio=words), Call("transfer", {"target": "reception"}, "b")],
        ]
    )
    async with FakeOpenAI(script) as fake, on_stage(agent, openai(fake)) as stage:
        report = await stage.place(CallerSays(sound.word()), Wait(15))

        refused = outputs(fake.sessions[0])["a"]

    assert "error" in json.loads(refused)
    assert sound.ulaw_of(words) in report.heard
    assert report.transfers == (RECEPTION,)
    assert report.ended.word == "transferred"


async def test_keys_reach_the_model() -> None:
    """What is entered is told as a whole, and interrupts what was being said."""
    told: list[str] = []
    agent = Agent(INSTRUCTIONS, greeting="Press a number.")

    @agent.on("digit")
    async def digit(event: DigitPressed, call: CallContext) -> None:
        told.append(event.digit)

    thanks = sound.voice(0.5)
    script = Script(answers=[Say("Press a number.", seconds=8), Say("Thanks.", audio=thanks)])
    async with FakeOpenAI(script) as fake, on_stage(agent, openai(fake)) as stage:
        report = await stage.place(Wait(0.6), Press("42#"), WaitForAgent(0.3), HangUp())

        [session] = fake.sessions
        items = [event["item"] for event in session.said("conversation.item.create")]

    assert told == ["4", "2", "#"]
    assert [item["content"][0]["text"] for item in items] == ["The caller pressed 4 2 #."]
    assert report.clears == 1
    assert sound.ulaw_of(thanks) in report.heard
    assert report.problems == ()
