"""
A worker is killed while tools are at work, and another one goes on with the call.

Real processes, a real Redis, a real SIGKILL, as in `test_killed_worker`.
"""

from __future__ import annotations

import asyncio
import json
import signal
from collections import Counter
from pathlib import Path

from bridge.simulator.caller import Say as CallerSays
from bridge.simulator.caller import Wait
from tests.fakes.openai_realtime import Call, FakeOpenAI, FakeSession, Say, Script
from tests.fakes.redis_server import RedisServer
from tests.journeys import sound
from tests.journeys.stage import PUBLIC, bridge_process, openai, until

HOTEL = "tests.journeys.hotel:agent"
ASKED = (Call("price", call_id="p"), Call("book", call_id="b"), Call("charge", call_id="c"))


async def test_tools_that_changed_the_world_do_so_once(tmp_path: Path) -> None:
    """
    The model asks for three things at once. One has answered, and waits for the others to be
    told: it does not run again. One may run twice: it does, with the same key. One may not:
    the next model is told that nobody knows how it went.
    """
    books = tmp_path / "books"
    books.touch()
    first = Script(answers=[[Say("One moment.", seconds=0.3), *ASKED]])
    second = Script(answers=[[Say("Where were we?", seconds=0.5), Call("hang_up")]])
    with RedisServer() as redis:
        async with FakeOpenAI(first, second) as fake:
            shared = {"REDIS_URL": redis.url, "BRIDGE_SECRET_KEY": "k" * 32}
            settings = openai(fake, HOTEL_BOOKS=str(books), **shared)
            origins: dict[str, str] = {}
            async with (
                bridge_process(HOTEL, settings, tmp_path / "one", origins=origins) as one,
                bridge_process(HOTEL, settings, tmp_path / "two") as two,
            ):
                origins[PUBLIC] = one.origin
                calling = asyncio.create_task(one.place(CallerSays(sound.word()), Wait(15)))
                await until(lambda: known_of_tools(redis) == ["begun", "begun", "done"], 20)
                await until(lambda: len(books.read_text().splitlines()) == 3)
                origins[PUBLIC] = two.origin
                one.stop(signal.SIGKILL)
                report = await calling

                taken_over = await fake.session(1)
                unknown = await two.metric(
                    "bridge_tool_calls_total", 'tool="charge"', 'outcome="outcome_unknown"'
                )
                failed = await two.metric(
                    "bridge_store_operations_total", 'operation="tool_', 'outcome="failed"'
                )

    call_id = report.call_sid
    outputs, texts = told(taken_over)
    booked = f"booked as {call_id}:b"
    assert Counter(books.read_text().splitlines()) == {
        f"price {call_id}:p": 1,
        f"book {call_id}:b": 2,
        f"charge {call_id}:c": 1,
    }
    assert json.loads(outputs["p"]) == "ninety euros"
    assert json.loads(outputs["c"])["error"]["code"] == "outcome_unknown"
    assert any(booked in text for text in (*outputs.values(), *texts))
    assert taken_over.said("response.create")
    assert (unknown, failed) == (1, 0)
    assert report.ended.word == "hung-up"
    assert report.violations == ()


def known_of_tools(redis: RedisServer) -> list[str]:
    """What the journal has of the one call's tools, in a word each."""
    known = [redis.raw("HVALS", key) for key in redis.raw("KEYS", "tb:*:tools")]
    return sorted(value.partition(b":")[0].decode() for values in known for value in values)


def told(session: FakeSession) -> tuple[dict[str, str], list[str]]:
    """What a session was told before it spoke: the tools' answers by call, and texts."""
    items = [event["item"] for event in session.said("conversation.item.create")]
    outputs = {
        item["call_id"]: item["output"] for item in items if item["type"] == "function_call_output"
    }
    return outputs, [part["text"] for item in items for part in item.get("content", ())]
