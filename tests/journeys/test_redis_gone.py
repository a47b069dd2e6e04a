"""
Redis goes away, and with it or without it a worker: no call ends by that, and none forgets.

Real processes, a real Redis, real signals. Beside the call that is looked at, another one is
spoken to all the time: what becomes of Redis must not be heard there.
"""

from __future__ import annotations

import asyncio
import signal
import time
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from bridge.simulator.caller import Say as CallerSays
from bridge.simulator.caller import Wait, WaitForAgent
from bridge.simulator.journal import Moment, What
from bridge.simulator.report import CallReport
from tests.fakes.openai_realtime import Call, FakeOpenAI, Say, Script
from tests.fakes.redis_server import RedisServer
from tests.journeys import sound
from tests.journeys.figures import Recorder
from tests.journeys.stage import PUBLIC, Stage, bridge_process, openai

BAKERY = "tests.journeys.agents:bakery"
LONGEST_GAP = 0.2  # seconds of silence within what an agent says, on a machine that is not busy
SOON = 8.0  # seconds in which a state has to be stored again, on a machine that is
FRAME = 160  # bytes of 20 ms
CHAT = (WaitForAgent(0.3), CallerSays(sound.word())) * 40
ANSWERS = [Say(f"This is what I have to say to question {n}.", seconds=1.0) for n in range(40)]
GOODBYE = Script(answers=[[Say("As I said. Goodbye.", seconds=0.5), Call("hang_up")]])
CHATTER = Script(answers=[Say("La la la.", seconds=40.0, pace=0.099)])
"""Spoken as good as in real time: nothing is put by that could hide a delay."""


@pytest.mark.timeout(150)
async def test_whatever_becomes_of_redis(tmp_path: Path, record_property: Recorder) -> None:
    """
    It is frozen for three seconds, takes nothing in as a replica, and then for want of memory:
    the call goes on, and is stored afterwards. At last it is killed, and the worker with it, in
    mid-sentence: what that knew is on the machine, up to the word. Nobody else hears of it.
    """
    with RedisServer() as redis:
        async with (
            FakeOpenAI(CHATTER, Script(answers=ANSWERS), GOODBYE) as fake,
            machine(fake, redis, tmp_path) as (one, two, origins),
            Chatter(two, record_property) as chatter,
        ):
            origins[PUBLIC] = one.origin
            speaks = Speaks()
            calling = asyncio.create_task(one.place(*CHAT, Wait(5), listener=speaks.listen))
            while len(calls := live(redis)) < 2:
                await asyncio.sleep(0.05)
            redis.freeze()
            await asyncio.sleep(3.0)
            redis.thaw()
            written = [await written_again(redis, calls)]
            for broken, mended in (
                (("REPLICAOF", "127.0.0.1", "1"), ("REPLICAOF", "NO", "ONE")),
                (("CONFIG", "SET", "maxmemory", "1"), ("CONFIG", "SET", "maxmemory", "0")),
            ):
                redis.raw(*broken)
                await failing(one, "read_only")
                redis.raw(*mended)
                written.append(await written_again(redis, calls))
            await asyncio.to_thread(redis.kill)
            await speaks.again()
            await asyncio.sleep(0.7)  # into the answer
            origins[PUBLIC] = two.origin
            one.stop(signal.SIGKILL)
            report = await calling
            other = await chatter.over()
            recovered = await two.metric("bridge_journal_records_total", 'outcome="recovered"')
            timeouts = await two.metric("bridge_store_operations_total", 'outcome="timeout"')
            texts = told((await fake.session(2)).said("conversation.item.create"))

    assert all(written)
    assert report.ended.word == "hung-up"
    assert report.twiml == ("Connect", "Connect", "Hangup")
    assert report.violations == ()
    assert_all_is_remembered(texts)
    assert recovered == 1
    assert timeouts > 0
    log = (tmp_path / "two").read_text()
    assert 1 <= log.count("the store does not answer") <= 3
    chatter.check(other)


@pytest.mark.timeout(150)
async def test_redis_is_not_there_and_comes_empty(
    tmp_path: Path, record_property: Recorder
) -> None:
    """
    Workers start without it and take calls. When it comes, and when it comes back without a
    memory, the call is stored at once; then a worker on another machine can go on with it.
    """
    with RedisServer() as redis:
        redis.kill()
        async with (
            FakeOpenAI(Script(answers=ANSWERS), GOODBYE) as fake,
            machine(fake, redis, tmp_path, one_machine=False) as (one, two, origins),
        ):
            origins[PUBLIC] = one.origin
            speaks = Speaks()
            calling = asyncio.create_task(one.place(*CHAT, Wait(5), listener=speaks.listen))
            await speaks.again()
            took = [await stored(redis)]
            await asyncio.to_thread(redis.kill)
            await failing(one, "unavailable")
            took.append(await stored(redis))
            origins[PUBLIC] = two.origin
            one.stop(signal.SIGKILL)
            report = await calling
            texts = told((await fake.session(1)).said("conversation.item.create"))

    figures = ", ".join(f"{seconds:.2f} s" for seconds in took)
    record_property("until a call is stored in an empty Redis", figures)
    print(f"until a call is stored in an empty Redis: {figures}")
    assert max(took) < SOON
    assert report.ended.word == "hung-up"
    assert report.twiml == ("Connect", "Connect", "Hangup")
    assert report.violations == ()
    assert_all_is_remembered(texts)
    assert (tmp_path / "one").read_text().count("the store answers again") == 2


def assert_all_is_remembered(texts: Sequence[str]) -> None:
    """Each answer once and in its order; of the last one, what was heard of it."""
    answers = [text for text in texts if text.startswith("This")]
    given = [answer.text for answer in ANSWERS[: len(answers)]]

    assert len(answers) > 1
    assert answers[:-1] == given[:-1]
    assert given[-1].startswith(answers[-1])


# What happens on the stage


def shared(fake: FakeOpenAI, redis: RedisServer, journal: Path) -> dict[str, str]:
    """Settings of workers that share Redis and a machine."""
    return openai(
        fake,
        REDIS_URL=redis.url,
        BRIDGE_SECRET_KEY="k" * 32,
        BRIDGE_JOURNAL_DIR=str(journal),
    )


@asynccontextmanager
async def machine(
    fake: FakeOpenAI, redis: RedisServer, folder: Path, *, one_machine: bool = True
) -> AsyncIterator[tuple[Stage, Stage, dict[str, str]]]:
    """Two workers, and where the carrier finds the bridge; `one_machine`: they share that, too."""
    origins: dict[str, str] = {}
    here, there = folder / "here", folder / ("here" if one_machine else "there")
    async with AsyncExitStack() as stack:
        one, two = await asyncio.gather(
            *map(
                stack.enter_async_context,
                (
                    bridge_process(
                        BAKERY, shared(fake, redis, here), folder / "one", origins=origins
                    ),
                    bridge_process(BAKERY, shared(fake, redis, there), folder / "two"),
                ),
            )
        )
        yield one, two, origins


class Speaks:
    """Knows when the agent begins to speak."""

    def __init__(self) -> None:
        self._begun = asyncio.Event()

    def listen(self, moment: Moment) -> None:
        if moment.what is What.AGENT_BEGAN:
            self._begun.set()

    async def again(self) -> None:
        """Return when it begins the next time."""
        self._begun.clear()
        async with asyncio.timeout(30):
            await self._begun.wait()


class Chatter:
    """
    A call in which the agent does not stop speaking, so that every delay is heard.

    A simulator that gets no time of its own hears gaps that nobody made: how late it was is
    measured, too.
    """

    def __init__(self, stage: Stage, record: Recorder) -> None:
        self._stage = stage
        self._record = record
        self._late = 0.0
        self._speaks = Speaks()

    async def __aenter__(self) -> Chatter:
        self._watching = asyncio.create_task(self._watch())
        self._calling = asyncio.create_task(
            self._stage.place(Wait(50), listener=self._speaks.listen)
        )
        await self._speaks.again()
        [call] = (await self._stage.ask("GET", "/calls")).json()["calls"]
        self._call_id = call["call"]
        return self

    async def __aexit__(self, *_: object) -> None:
        for task in (self._calling, self._watching):
            task.cancel()
        await asyncio.gather(self._calling, self._watching, return_exceptions=True)

    async def over(self) -> CallReport:
        """The operator ends it."""
        await self._stage.ask("DELETE", f"/calls/{self._call_id}")
        return await self._calling

    def check(self, report: CallReport) -> None:
        """Nobody heard anything of what became of Redis."""
        longest = longest_silence(report.heard)
        figures = f"longest gap {longest:.2f} s, the test itself late by {self._late:.3f} s"
        self._record("audio of another call", figures)
        print(f"audio of another call: {figures}")
        assert report.twiml == ("Connect", "Hangup")
        assert report.violations == ()
        assert longest < LONGEST_GAP + 3 * self._late

    async def _watch(self) -> None:
        clock = asyncio.get_running_loop().time
        while True:
            due = clock() + 0.01
            await asyncio.sleep(0.01)
            self._late = max(self._late, clock() - due)


def longest_silence(heard: bytes) -> float:
    """Seconds, between the first and the last sound; `heard` is mu-law."""
    frames = [heard[at : at + FRAME] for at in range(0, len(heard), FRAME)]
    sounds = [number for number, frame in enumerate(frames) if frame.strip(b"\xff\x7f")]
    return max(later - earlier - 1 for earlier, later in pairwise(sounds)) * 0.02


def told(items: Sequence[Mapping[str, Any]]) -> list[str]:
    """What a new session was told of the conversation."""
    return [part["text"] for item in items for part in item["item"].get("content", ())]


def live(redis: RedisServer) -> list[str]:
    """The keys of the calls that Redis knows to be in progress."""
    keys = [key.decode() for key in redis.raw("KEYS", "tb:*:call")]
    return [key for key in keys if redis.raw("HGET", key, "state") == b"live"]


async def stored(redis: RedisServer) -> float:
    """Let Redis come, and return when there is a call in it; how many seconds that took."""
    await asyncio.to_thread(redis.start)
    began = time.monotonic()
    while not live(redis):
        await asyncio.sleep(0.02)
    return time.monotonic() - began


async def written_again(redis: RedisServer, calls: Sequence[str]) -> bool:
    """Whether one of these calls is written within a while."""

    def numbers() -> list[bytes]:
        return [redis.raw("HGET", key, "seq") for key in calls]

    before = numbers()
    with suppress(TimeoutError):
        async with asyncio.timeout(SOON):
            while numbers() == before:
                await asyncio.sleep(0.05)
            return True
    return False


async def failing(stage: Stage, outcome: str) -> None:
    """Return when the store has met with this twice again."""

    async def met() -> float:
        return await stage.metric("bridge_store_operations_total", f'outcome="{outcome}"')

    before = await met()
    async with asyncio.timeout(20):
        while await met() < before + 2:
            await asyncio.sleep(0.05)
