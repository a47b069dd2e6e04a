"""The operator sees a live call, changes it, and ends it."""

from __future__ import annotations

import asyncio

from bridge.agent.agent import Agent
from bridge.simulator.caller import Say as CallerSays
from bridge.simulator.caller import Wait, WaitForAgent
from tests.fakes.openai_realtime import FakeOpenAI, Raise, Say, Script
from tests.journeys import sound
from tests.journeys.stage import INSTRUCTIONS, QUICK, on_stage, openai


async def test_a_live_call_is_seen_changed_and_ended() -> None:
    """Nobody but the operator can, and the caller hears that it goes on as it is told."""
    agent = Agent(
        INSTRUCTIONS, greeting="Hello.", vad=QUICK, transfer_targets={"him": "+14155550100"}
    )
    script = Script(answers=[Say("Hello.", seconds=0.3)], otherwise=Say("Yes?", seconds=0.3))
    async with FakeOpenAI(script) as fake, on_stage(agent, openai(fake)) as stage:
        steps = (WaitForAgent(0.3), CallerSays(sound.word()), WaitForAgent(0.3), Wait(30))
        calling = asyncio.create_task(stage.place(*steps))
        session = await fake.session(0)
        await session.until(lambda: len(session.received) > 16_000)

        [listed] = (await stage.ask("GET", "/calls")).json()["calls"]
        path = f"/calls/{listed['call']}"
        change = {
            "instructions": "Sell more bread.",
            "tools": ["hang_up", {"name": "transfer", "description": "To him, and gladly."}],
            "bridge_message": "There is a discount now.",
        }
        changed = await stage.ask("POST", f"{path}/session", json=change)
        shown = (await stage.ask("GET", path)).json()
        ended = await stage.ask("DELETE", path)
        report = await calling
        gone = await stage.ask("GET", path)
        after = (await stage.ask("GET", "/calls")).json()

    updates = [event["session"] for event in session.said("session.update")]
    messages = [event["item"]["content"] for event in session.said("conversation.item.create")]
    assert (changed.status_code, changed.json()["result"]) == (202, "applied")
    assert updates[-1]["instructions"] == "Sell more bread."
    assert [tool["name"] for tool in updates[-1]["tools"]] == ["hang_up", "transfer"]
    assert updates[-1]["tools"][1]["description"] == "To him, and gladly."
    assert messages[-1][0]["text"] == "There is a discount now."
    assert listed["state"] == shown["state"] == "live"
    assert listed["call"] == shown["call"] == report.call_sid
    whats = [line["what"] for line in shown["timeline"]]
    assert {"answered", "model_ready", "agent_speaks", "caller_speaks"} <= set(whats)
    assert ended.status_code == 204
    assert report.ended.word == "hung-up"
    assert gone.status_code == 404
    assert after == {"calls": []}


async def test_a_change_that_the_provider_refuses_is_the_operators_to_mend() -> None:
    """The call goes on as it was."""
    script = Script(
        refuse_updates=(None, Raise("invalid_value")), otherwise=Say("Yes?", seconds=0.3)
    )
    async with (
        FakeOpenAI(script) as fake,
        on_stage(Agent(INSTRUCTIONS, vad=QUICK), openai(fake)) as stage,
    ):
        calling = asyncio.create_task(
            stage.place(Wait(0.5), CallerSays(sound.word()), WaitForAgent(0.3))
        )
        session = await fake.session(0)
        await session.until(lambda: len(session.received) > 1_600)
        [listed] = (await stage.ask("GET", "/calls")).json()["calls"]
        path = f"/calls/{listed['call']}/session"
        refused = await stage.ask("POST", path, json={"instructions": "Sell more bread."})
        report = await calling

    assert refused.status_code == 409
    assert refused.json()["error"]["code"] == "refused"
    assert report.problems == ()
