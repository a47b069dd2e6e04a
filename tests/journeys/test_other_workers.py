"""
The operator asks one worker, and the call is on another.

Real processes and a real Redis; the worker that is asked has nothing to do with the call.
"""

from __future__ import annotations

import asyncio
from pathlib import Path

from bridge.simulator.caller import Wait, WaitForAgent
from tests.fakes.openai_realtime import FakeOpenAI, Say, Script
from tests.fakes.redis_server import RedisServer
from tests.journeys.stage import ADMIN, PUBLIC, bridge_process, openai, until

BAKERY = "tests.journeys.agents:bakery"


async def test_a_call_is_changed_and_ended_from_any_worker(tmp_path: Path) -> None:
    """The session is told of the change, and the caller is hung up on."""
    with RedisServer() as redis:
        async with FakeOpenAI(Script(answers=[Say("Good day.", seconds=0.4)])) as fake:
            settings = openai(
                fake,
                REDIS_URL=redis.url,
                BRIDGE_SECRET_KEY="k" * 32,
                BRIDGE_ADMIN_TOKEN=ADMIN,
            )
            origins: dict[str, str] = {}
            async with (
                bridge_process(BAKERY, settings, tmp_path / "one", origins=origins) as one,
                bridge_process(BAKERY, settings, tmp_path / "two") as two,
            ):
                origins[PUBLIC] = one.origin
                calling = asyncio.create_task(one.place(WaitForAgent(0.3), Wait(40)))
                session = await fake.session(0)
                await until(lambda: session.said("response.create"))
                [listed] = (await two.ask("GET", "/calls")).json()["calls"]
                path = f"/calls/{listed['call']}"
                shown = await two.ask("GET", path)
                body = {"instructions": "Speak like a pirate.", "bridge_message": "Ahoy."}
                changed = await two.ask("POST", f"{path}/session", json=body)
                await until(lambda: "pirate" in str(session.said("session.update")))
                await until(lambda: "Ahoy." in str(session.said("conversation.item.create")))
                ended = await two.ask("DELETE", path)
                report = await asyncio.wait_for(calling, 20)
                again = await two.ask("DELETE", path)
                strange = await two.ask("POST", "/calls/CA0/session", json=body)

    assert shown.json().items() >= listed.items()
    assert "answered" in [line["what"] for line in shown.json()["timeline"]]
    assert listed["state"] == "live"
    assert (changed.status_code, changed.json()["result"]) == (202, "queued")
    assert ended.status_code == 204
    assert report.ended.word == "hung-up"
    assert report.twiml == ("Connect", "Hangup")
    assert report.violations == ()
    assert (again.status_code, strange.status_code) == (404, 404)
