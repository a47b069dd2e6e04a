"""
A call that is over is gone at once. What knows each other in a circle would wait for the
garbage collector, and every other call would stand still while that looks for it.
"""

from __future__ import annotations

import asyncio
import gc
from collections import Counter
from collections.abc import Awaitable, Callable

import pytest

from bridge.agent.agent import Agent
from bridge.agent.context import CallContext
from bridge.agent.hooks import CallEnded
from bridge.simulator.caller import CutLine, HangUp, Press, Step, Wait, WaitForAgent
from bridge.simulator.caller import Say as CallerSays
from tests.carriers.sip.phone import FRAME, phone
from tests.fakes import gemini_script
from tests.fakes.gemini_live import FakeGemini
from tests.fakes.openai_realtime import Call, Drop, FakeOpenAI, Say, Script
from tests.journeys import sound
from tests.journeys.sip_stage import sip_stage
from tests.journeys.stage import INSTRUCTIONS, QUICK, Stage, gemini, on_stage, openai, until
from tests.journeys.test_mounted import application

OURS, THEIRS = "bridge.", ("bridge.simulator.", "bridge.bench.")
ANSWERED = (CallerSays(sound.word()), WaitForAgent(0.3))
YES = Say("Yes?", seconds=0.4)


def an_agent() -> Agent:
    """With a tool and a hook, for these know the call as well."""
    agent = Agent(INSTRUCTIONS, greeting="Hello.", vad=QUICK)

    @agent.tool
    async def opening_hours() -> str:
        """When the bakery is open."""
        return "seven to six"

    @agent.on("call_ended")
    async def ended(event: CallEnded, call: CallContext) -> None:
        """Nothing to do."""

    return agent


async def garbage(stage: Stage, conversation: Callable[[], Awaitable[object]]) -> Counter[str]:
    """What of ours a conversation has left to the garbage collector, by kind."""
    await conversation()  # the first one brings things about that stay
    await nobody_is_there(stage)
    gc.collect()
    gc.disable()
    try:
        await conversation()
        await nobody_is_there(stage)
        gc.set_debug(gc.DEBUG_SAVEALL)
        gc.collect()
        kinds = Counter(f"{type(each).__module__}.{type(each).__qualname__}" for each in gc.garbage)
    finally:
        gc.set_debug(0)
        gc.garbage.clear()
        gc.enable()
    return Counter(
        {
            kind: count
            for kind, count in kinds.items()
            if kind.startswith(OURS) and not kind.startswith(THEIRS)
        }
    )


async def nobody_is_there(stage: Stage) -> None:
    """Until no task is at work on a call any more, and all sockets are closed."""
    await until(lambda: not len(stage.service.switchboard))
    await until(lambda: not len(stage.service.tallies))
    await asyncio.sleep(0.3)


CONVERSATIONS: dict[str, tuple[Script, tuple[Step, ...]]] = {
    "the caller hangs up": (Script(otherwise=YES), ANSWERED),
    "the caller is cut off in mid-sentence": (
        Script(answers=[YES], otherwise=Say("A long story.", seconds=5.0)),
        (WaitForAgent(0.1), CallerSays(sound.word()), Wait(0.8), Press("5"), Wait(0.2), HangUp()),
    ),
    "the agent hangs up": (
        Script(answers=[Say("Hello.", seconds=0.2), [YES, Call("hang_up")]], otherwise=YES),
        (WaitForAgent(0.3), CallerSays(sound.word()), Wait(5.0)),
    ),
    "a tool is used": (
        Script(answers=[YES, Call("opening_hours")], otherwise=YES),
        (WaitForAgent(0.3), *ANSWERED),
    ),
    "the line breaks": (Script(otherwise=YES), (*ANSWERED, CutLine(), *ANSWERED)),
    "the model breaks": (
        Script(answers=[YES, [YES, Drop(1006)]], otherwise=YES),
        (WaitForAgent(0.3), *ANSWERED, Wait(0.5)),
    ),
}


@pytest.mark.parametrize("name", CONVERSATIONS)
async def test_a_call_leaves_nothing_to_the_collector(name: str) -> None:
    script, steps = CONVERSATIONS[name]
    async with (
        FakeOpenAI(script, script, script, script) as fake,
        on_stage(an_agent(), openai(fake)) as stage,
    ):
        left = await garbage(stage, lambda: stage.place(*steps))

    assert left == Counter()


async def test_with_another_model() -> None:
    """PCM16, and a session that watches over the caller's turns."""
    script = gemini_script.Script(otherwise=[gemini_script.Say("Yes?", seconds=0.4)])
    async with FakeGemini(script) as fake, on_stage(an_agent(), gemini(fake)) as stage:
        left = await garbage(stage, lambda: stage.place(*ANSWERED))

    assert left == Counter()


async def test_under_any_server() -> None:
    """Where audio is read and sent by tasks."""
    async with (
        FakeOpenAI(Script(otherwise=YES)) as fake,
        application(fake, "websockets-sansio") as stage,
    ):
        left = await garbage(stage, lambda: stage.place(*ANSWERED, CutLine(), *ANSWERED))

    assert left == Counter()


async def test_over_sip() -> None:
    async with (
        FakeOpenAI(Script(otherwise=YES)) as fake,
        sip_stage(an_agent(), openai(fake)) as sip,
        phone(sip.place()) as one,
        phone(sip.place()) as other,
    ):
        callers = [one, other]

        async def conversation() -> None:
            caller = callers.pop()
            await caller.calls()
            await until(lambda: len(caller.voice) > 5 * FRAME)
            caller.hangs_up()
            await until(lambda: not len(sip.stage.service.switchboard))

        left = await garbage(sip.stage, conversation)

    assert left == Counter()
