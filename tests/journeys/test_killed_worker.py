"""
A worker is killed in mid-call, and another one goes on with the call.

Real processes, a real Redis, a real SIGKILL: what a load balancer would do, sending the
carrier to a worker that lives, the test does by moving the bridge's public origin.
"""

from __future__ import annotations

import asyncio
import signal
from pathlib import Path

from bridge.simulator.caller import Say as CallerSays
from bridge.simulator.caller import Wait, WaitForAgent
from bridge.simulator.journal import Moment, What
from tests.fakes.openai_realtime import Call, FakeOpenAI, Say, Script
from tests.fakes.redis_server import RedisServer
from tests.journeys import sound
from tests.journeys.stage import PUBLIC, bridge_process, openai

BAKERY = "tests.journeys.agents:bakery"


async def test_the_caller_goes_on_with_the_same_agent(tmp_path: Path) -> None:
    """
    Killed while the agent speaks: the next worker claims the call, tells the model what was
    said and heard, and has it take up the thread. Nobody is greeted twice.
    """
    long_answer = Say("We are open from seven to six, on every day but Sunday.", seconds=8.0)
    first = Script(answers=[Say("Good day.", seconds=0.4), long_answer])
    second = Script(
        answers=[
            Say("As I was saying, from seven to six.", seconds=1.0),
            [Say("Goodbye.", seconds=0.5), Call("hang_up")],
        ]
    )
    with RedisServer() as redis:
        async with FakeOpenAI(first, second) as fake:
            shared = {"REDIS_URL": redis.url, "BRIDGE_SECRET_KEY": "k" * 32}
            settings = openai(fake, **shared)
            origins: dict[str, str] = {}
            async with (
                bridge_process(BAKERY, settings, tmp_path / "one", origins=origins) as one,
                bridge_process(BAKERY, settings, tmp_path / "two") as two,
            ):
                origins[PUBLIC] = one.origin
                killer = Killer(after_answers=2)
                calling = asyncio.create_task(
                    one.place(
                        WaitForAgent(0.3),
                        CallerSays(sound.word()),
                        WaitForAgent(0.8, timeout=30),
                        CallerSays(sound.word()),
                        Wait(10),
                        listener=killer.listen,
                    )
                )
                await killer.time_has_come()
                origins[PUBLIC] = two.origin
                one.stop(signal.SIGKILL)
                report = await calling
                resumed = await two.metric("bridge_calls_ended_total")

            taken_over = await fake.session(1)
            told = [item["item"] for item in taken_over.said("conversation.item.create")]

    texts = [part["text"] for item in told for part in item.get("content", ())]
    assert report.ended.word == "hung-up"
    assert report.twiml == ("Connect", "Connect", "Hangup")
    assert len(report.streams) == 2
    assert report.streams[0].broken
    assert len(fake.sessions) == 2
    assert "Good day." in texts
    assert any(text and text in long_answer.text for text in texts)
    assert long_answer.text not in texts, "what was not heard any more must not be told"
    assert resumed == 1
    assert report.violations == ()


class Killer:
    """Says when the agent is in the middle of its nth answer."""

    def __init__(self, after_answers: int) -> None:
        self._left = after_answers
        self._speaking = asyncio.Event()

    def listen(self, moment: Moment) -> None:
        if moment.what is What.AGENT_BEGAN:
            self._left -= 1
            if self._left == 0:
                self._speaking.set()

    async def time_has_come(self) -> None:
        async with asyncio.timeout(30):
            await self._speaking.wait()
        await asyncio.sleep(2.0)  # into the answer; its words were stored on the way
