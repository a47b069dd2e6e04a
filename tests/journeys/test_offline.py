"""Whole calls to the offline agent: no key, no network, and still a conversation."""

from __future__ import annotations

from bridge.agent.agent import Agent
from bridge.agent.context import CallContext
from bridge.agent.hooks import ToolCalled
from bridge.ports.runner_events import ToolOutcome
from bridge.ports.server_events import AudioDelta
from bridge.simulator.caller import CutLine, Interrupt, Press, Wait, WaitForAgent
from bridge.simulator.caller import Say as CallerSays
from tests.journeys import sound
from tests.journeys.stage import INSTRUCTIONS, on_stage, speech
from tests.journeys.stamps import StampedBridge

OFFLINE = {"BRIDGE_PROVIDER": "offline"}
SILENCE = b"\xff"


def bakery() -> Agent:
    agent = Agent(INSTRUCTIONS, greeting="Hello.")

    @agent.tool
    async def opening_hours() -> str:
        """When the bakery is open."""
        return "We are open from seven to six every day."

    return agent


async def test_a_conversation_without_any_provider() -> None:
    """
    It greets, is asked, is interrupted, uses its tool and says goodbye; and what is said
    on either side arrives on the other, to the byte.
    """
    agent = bakery()
    used: list[ToolOutcome] = []

    @agent.on("tool_called")
    async def tool_called(event: ToolCalled, call: CallContext) -> None:
        used.append(event.outcome)

    async with on_stage(agent, OFFLINE, make=StampedBridge, noise=True) as stage:
        bridge = stage.bridge
        assert isinstance(bridge, StampedBridge)
        report = await stage.place(
            WaitForAgent(0.4),
            CallerSays(speech("yes"), "question"),
            Interrupt(speech("yes"), after_seconds=0.4, name="interruption"),
            Interrupt(speech("thanks"), after_seconds=1.5, name="thanks"),
            Wait(20.0),
        )

        fed = bytes(bridge.fed)
        answers = voices(bridge)

    assert speech("yes")[:10_560] in fed
    assert fed.rstrip(SILENCE) in report.said  # of a call that closes the model hears silence
    heard = [sound.heard_prefix(answer, report.heard) for answer in answers]
    whole = [length == len(answer) for length, answer in zip(heard, answers, strict=True)]
    assert whole.count(False) == report.clears == 2
    assert ToolOutcome.ANSWERED in used
    assert report.ended.word == "hung-up"
    assert report.twiml == ("Connect", "Hangup")
    assert report.problems == ()


async def test_keys_and_a_line_that_breaks_are_nothing_new_to_it() -> None:
    """It answers both, and does not greet again."""
    async with on_stage(bakery(), OFFLINE, make=StampedBridge) as stage:
        bridge = stage.bridge
        assert isinstance(bridge, StampedBridge)
        report = await stage.place(WaitForAgent(0.4), CutLine(), Wait(0.3), Press("1#"), Wait(1.5))

        [greeting, *answers] = voices(bridge)

    assert len(report.streams) == 2
    assert report.heard.count(greeting) == 1
    assert any(sound.heard_prefix(answer, report.heard) > 4_000 for answer in answers)
    assert report.violations == ()


def voices(bridge: StampedBridge) -> list[bytes]:
    """The voice of each of the agent's items, in order, as it came from the model."""
    items: dict[str, bytearray] = {}
    for _, event in bridge.told:
        if isinstance(event, AudioDelta):
            items.setdefault(event.item_id, bytearray()).extend(event.delta)
    return [bytes(item) for item in items.values()]
