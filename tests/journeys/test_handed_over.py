"""
A worker is told to stop in mid-call, and gives the call to another.

Real processes, a real Redis, a real SIGTERM: what a load balancer would do, sending the
carrier to a worker that is ready, the test does by moving the bridge's public origin.
"""

from __future__ import annotations

import asyncio
import signal
import time
from pathlib import Path

from bridge.ports import phrases
from bridge.simulator.caller import Say as CallerSays
from bridge.simulator.caller import Wait, WaitForAgent
from bridge.simulator.journal import Moment, What
from tests.fakes.openai_realtime import Call, FakeOpenAI, Say, Script
from tests.fakes.redis_server import RedisServer
from tests.journeys import sound
from tests.journeys.stage import PUBLIC, bridge_process, openai
from tests.journeys.test_processes import exit_code

BAKERY = "tests.journeys.agents:bakery"
ANSWER = Say("We are open from seven to six.", seconds=2.0)


async def test_a_worker_that_stops_lets_the_agent_finish(tmp_path: Path) -> None:
    """Then it closes the stream, and the next worker goes on: silent, until it is spoken to."""
    first = Script(answers=[Say("Good day.", seconds=0.4), ANSWER])
    second = Script(answers=[[Say("Goodbye.", seconds=0.5), Call("hang_up")]])
    with RedisServer() as redis:
        async with FakeOpenAI(first, second) as fake:
            shared = {
                "REDIS_URL": redis.url,
                "BRIDGE_SECRET_KEY": "k" * 32,
                "BRIDGE_DRAIN_SECONDS": "20",
            }
            settings = openai(fake, **shared)
            origins: dict[str, str] = {}
            async with (
                bridge_process(BAKERY, settings, tmp_path / "one", origins=origins) as one,
                bridge_process(BAKERY, settings, tmp_path / "two") as two,
            ):
                origins[PUBLIC] = one.origin
                speaking = asyncio.Event()
                began = 0

                def listen(moment: Moment) -> None:
                    nonlocal began
                    began += moment.what is What.AGENT_BEGAN
                    if began == 2:
                        speaking.set()

                calling = asyncio.create_task(
                    one.place(
                        WaitForAgent(0.3),
                        CallerSays(sound.word()),
                        WaitForAgent(0.8, timeout=30),
                        Wait(1.5),
                        CallerSays(sound.word()),
                        Wait(10),
                        listener=listen,
                    )
                )
                async with asyncio.timeout(30):
                    await speaking.wait()
                origins[PUBLIC] = two.origin
                one.stop(signal.SIGTERM)
                told_at = time.monotonic()
                code = await exit_code(one)
                stopped_in = time.monotonic() - told_at
                report = await calling
                spoken_for = ANSWER.seconds

            taken_over = await fake.session(1)
            told = [item["item"] for item in taken_over.said("conversation.item.create")]
            asked = taken_over.said("response.create")

    texts = [part["text"] for item in told for part in item.get("content", ())]
    assert report.ended.word == "hung-up"
    assert report.twiml == ("Connect", "Connect", "Hangup")
    assert [stream.broken for stream in report.streams] == [False, False]
    assert ANSWER.text in texts, "it was heard to its end"
    assert phrases.GO_ON not in str(asked), "nobody was cut off, so there is nothing to take up"
    assert code == 0
    assert spoken_for / 2 < stopped_in < 10
    assert report.violations == ()
