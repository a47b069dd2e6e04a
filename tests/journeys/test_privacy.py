"""
What nobody may read afterwards: numbers, words, keys, tokens, digits.

A whole call in which all of these happen, and then a look into everything that leaves the
process but the call itself: logs, metrics, documents, the operator's API, and the `repr`
of every object of the bridge's that is alive in the middle of the call.
"""

from __future__ import annotations

import asyncio
import gc
import logging

import pytest

from bridge.agent.agent import Agent
from bridge.agent.context import CallContext
from bridge.agent.hooks import HookEvent
from bridge.simulator.caller import CutLine, Press, Wait, WaitForAgent
from bridge.simulator.caller import Say as CallerSays
from tests.fakes.openai_realtime import Call, Drop, FakeOpenAI, Raise, Say, Script
from tests.journeys import sound
from tests.journeys.hand import HandMadeCall
from tests.journeys.stage import ADMIN, QUICK, TOKEN, on_stage, openai

CALLER, CALLED, COLLEAGUE, FALLBACK = (
    "+4915112345678",
    "+4930901820",
    "+14155550100",
    "+14155550177",
)
KEY, SECRET_KEY = "sk-proj-AbCdEfGhIjKlMnOpQrStUvWx", "a-secret-key-of-thirty-two-letters"
HEADER = "header-4711-quince"
WORDS = ("zucchini", "marzipan", "quetzal", "xylophone", "persimmon", "kohlrabi", "tamarind")
PRESSED = "73*91"
NUMBERS = (CALLER, CALLED, COLLEAGUE, FALLBACK)
SECRETS = (*NUMBERS, KEY, SECRET_KEY, TOKEN, ADMIN, HEADER, *WORDS, PRESSED, " ".join(PRESSED))
SETTINGS = {
    "OPENAI_API_KEY": KEY,
    "BRIDGE_SECRET_KEY": SECRET_KEY,
    "BRIDGE_FALLBACK_NUMBER": FALLBACK,
}
ALIVE = ("Config(", "Agent(", "CallRecord(", "RealtimeConfig(", "CallContext(", "CallerSaid(")
HEARD = {"CallerSaid", "AgentSaid", "DigitPressed", "ToolCalled", "SessionResumed"}


async def test_nothing_that_is_private_gets_out(caplog: pytest.LogCaptureFixture) -> None:
    """Not even at the most talkative level of the logs, and not when things go wrong."""
    caplog.set_level(logging.DEBUG, logger="bridge")
    heard: list[HookEvent] = []
    agent = an_agent(heard)
    async with (
        FakeOpenAI(*provider(), key=KEY) as fake,
        on_stage(
            agent,
            openai(fake, **SETTINGS),
            from_=CALLER,
            to=CALLED,
            parameters={"SipHeader_X-Ticket": HEADER},
        ) as stage,
    ):
        calling = asyncio.create_task(stage.place(*steps()))
        last = await fake.session(2)
        await last.until(lambda: len(last.received) > 8_000)
        alive = representations()
        listed = await stage.ask("GET", "/calls")
        path = f"/calls/{listed.json()['calls'][0]['call']}"
        shown = await stage.ask("GET", path)
        change = {"instructions": WORDS[5], "bridge_message": WORDS[6]}
        changed = await stage.ask("POST", f"{path}/session", json=change)
        report = await calling
        call = HandMadeCall(stage)
        document = await call.post("/twilio/voice", call.form())
        metrics = await stage.ask("GET", "/metrics")

    assert report.violations == ()
    assert changed.status_code == 202
    assert {type(event).__name__ for event in heard} >= HEARD
    assert all(any(each.startswith(name) for each in alive) for name in ALIVE)
    assert len(caplog.records) > 2
    written = [f"{record.getMessage()} {record.exc_text}" for record in caplog.records]
    for place, text in {
        "logs": "\n".join(written),
        "metrics": metrics.text,
        "document": document.text,
        "operator": listed.text + shown.text + changed.text,
        "reprs": "\n".join(alive),
    }.items():
        assert [secret for secret in SECRETS if secret in text] == [], place


def provider() -> tuple[Script, ...]:
    """It drops, refuses and quotes the key; in between it works."""
    first = Script(
        answers=[
            Say(f"Hello, do you like {WORDS[0]}?", seconds=0.3),
            [Call("order", {"what": WORDS[1]})],
            [
                Say("It is on its way.", seconds=0.3),
                Raise("server_error", message=f"bad {KEY}"),
                Drop(1011, f"key {KEY}"),
            ],
        ],
        transcripts=[WORDS[2]],
    )
    return first, Script(otherwise=Say(f"Still {WORDS[0]}.", seconds=0.3), transcripts=[WORDS[2]])


def an_agent(heard: list[HookEvent]) -> Agent:
    agent = Agent(
        f"You sell {WORDS[3]}.",
        greeting=f"Hello, do you like {WORDS[0]}?",
        vad=QUICK,
        transfer_targets={"colleague": COLLEAGUE},
    )

    @agent.tool
    async def order(what: str, call: CallContext) -> str:
        """Order something."""
        call.state["note"] = WORDS[4]
        raise RuntimeError("the shop is closed")

    @agent.on("caller_said")
    @agent.on("agent_said")
    @agent.on("digit")
    @agent.on("tool_called")
    @agent.on("session_resumed")
    async def remember(event: HookEvent, call: CallContext) -> None:
        heard.append(event)

    return agent


def steps() -> tuple[CallerSays | WaitForAgent | Wait | Press | CutLine, ...]:
    return (
        WaitForAgent(0.3),
        CallerSays(sound.word()),
        Wait(0.9),
        Press(PRESSED + "#"),
        WaitForAgent(0.3),
        CutLine(),
        Wait(6.0),  # long enough to look at everything while the call is alive
    )


def representations() -> list[str]:
    """How everything of the bridge's that is alive shows itself; the simulator knows the caller."""
    found = []
    for each in gc.get_objects():
        module = str(type(each).__module__)
        if module.startswith("bridge.") and not module.startswith("bridge.simulator"):
            found.append(repr(each))
    return found
