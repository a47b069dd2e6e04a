"""Whatever redis-py says or does not say: bounded time, one clear sentence, and a way back."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

import pytest
from redis import exceptions as said

from bridge.errors import StoreError
from bridge.store.redis.address import Address, Host, Login, Server, Socket
from bridge.store.redis.breaker import LIMIT, PAUSE
from bridge.store.redis.connection import QUIET_SECONDS, Connection, WritesRefused
from bridge.store.redis.scripts import Script
from tests.fakes.redis_server import RedisServer

ADDRESS = Server(Host("h", 6379), Login(None, "hunter2"))
SCRIPT = Script("return 1")


@dataclass
class FakeClient:
    """Answers what it was told to: a value, an exception, or nothing (None waits for ever)."""

    answers: list[Any]
    places: dict[str, str] = field(default_factory=dict)
    asked: list[Sequence[Any]] = field(default_factory=list)
    found: int = 0
    closed: bool = False
    hangs: bool = False

    def place(self, key: str | None) -> str:
        return self.places.get(key or "", "")

    async def execute(self, key: str, command: Sequence[Any]) -> Any:
        self.asked.append(command)
        answer = self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]
        if answer is None:
            await asyncio.Event().wait()
        if isinstance(answer, Exception):
            raise answer
        return answer

    async def execute_all(self, commands: Sequence[Sequence[Any]]) -> list[Any]:
        await self.execute("", commands)
        return self.answers

    async def find(self) -> None:
        self.found += 1
        if self.hangs:
            await asyncio.Event().wait()

    async def close(self) -> None:
        self.closed = True
        if self.hangs:
            await asyncio.Event().wait()


class Bench:
    """A connection, the clients that it opened, and a clock."""

    def __init__(self, *clients: FakeClient) -> None:
        self.now = 100.0
        self.waiting = list(clients)
        self.opened: list[FakeClient] = []
        self.connection = Connection(ADDRESS, open=self._open, clock=lambda: self.now)

    def _open(self, address: Address) -> FakeClient:
        assert address == ADDRESS
        self.opened.append(self.waiting.pop(0) if self.waiting else FakeClient([b"later"]))
        return self.opened[-1]

    async def run(self, key: str = "k", within: float = 0.05) -> Any:
        return await self.connection.run(SCRIPT, (key,), ("a",), within)

    async def refusal(self, key: str = "k") -> StoreError:
        with pytest.raises(StoreError) as refusal:
            await self.run(key)
        return refusal.value


Benches = Callable[..., Bench]


@pytest.fixture
async def bench() -> AsyncIterator[Benches]:
    benches: list[Bench] = []

    def make(*clients: FakeClient) -> Bench:
        benches.append(Bench(*clients))
        return benches[-1]

    yield make
    for made in benches:
        await made.connection.close()


async def test_a_script_is_run_by_its_name(bench: Benches) -> None:
    client = FakeClient([b"answer"])

    assert await bench(client).run() == b"answer"
    assert client.asked == [("EVALSHA", SCRIPT.sha, 1, "k", "a")]


async def test_a_script_that_redis_does_not_have_is_sent(bench: Benches) -> None:
    client = FakeClient([said.NoScriptError("NOSCRIPT No matching script"), b"answer"])

    assert await bench(client).run() == b"answer"
    assert client.asked[1] == ("EVAL", SCRIPT.text, 1, "k", "a")


async def test_nothing_is_opened_before_it_is_needed(bench: Benches) -> None:
    assert bench().opened == []


@pytest.mark.parametrize(
    ("error", "text"),
    [
        (said.ConnectionError("Error 111 connecting to hunter2"), "cannot be reached"),
        (said.TimeoutError("hunter2"), "did not answer in time"),
        (ConnectionResetError("hunter2"), "cannot be reached (ConnectionResetError)"),
        (said.BusyLoadingError("LOADING hunter2"), "cannot serve now (LOADING)"),
        (said.MasterDownError("MASTERDOWN hunter2"), "cannot serve now (MASTERDOWN)"),
        (said.ClusterDownError("CLUSTERDOWN hunter2"), "cannot serve now (CLUSTERDOWN)"),
        (said.ReadOnlyError("hunter2"), "refuses to write (READONLY)"),
        (said.OutOfMemoryError("hunter2"), "refuses to write (OOM)"),
        (said.ResponseError("NOREPLICAS hunter2"), "refuses to write (NOREPLICAS)"),
        (said.ResponseError("MISCONF hunter2"), "refuses to write (MISCONF)"),
        (
            said.ResponseError("ERR Error running script: @user_script:1: -OOM hunter2"),
            "refuses to write (OOM)",
        ),
        (said.NoPermissionError("hunter2"), "user or password of REDIS_URL, or a command"),
        (said.AuthenticationError("hunter2"), "user or password of REDIS_URL"),
        (said.ResponseError("ERR hunter2"), "refused (ResponseError)"),
        (None, "did not answer within 0.1 s"),
    ],
)
async def test_what_goes_wrong_is_said_in_a_sentence(
    bench: Benches, caplog: pytest.LogCaptureFixture, error: Exception | None, text: str
) -> None:
    """And nothing that Redis or redis-py says goes any further."""
    made = bench(*(FakeClient([error]) for _ in range(9)))

    refusals = [await made.refusal() for _ in range(LIMIT)]

    assert text in str(refusals[0])
    assert isinstance(refusals[0], WritesRefused) is ("refuses to write" in text)
    assert "hunter2" not in f"{refusals} {caplog.text}"


async def test_what_redis_said_while_we_connected(bench: Benches) -> None:
    """redis-py hides it in an error of its own."""
    error = said.ConnectionError("wrapped")
    error.__cause__ = said.AuthenticationError("hunter2")

    assert "user or password" in str(await bench(FakeClient([error])).refusal())


@pytest.mark.parametrize("word", ["READONLY", "NOREPLICAS", "OOM", "LOADING", "MASTERDOWN"])
async def test_a_client_that_found_the_wrong_one(bench: Benches, word: str) -> None:
    """The next operation has a new client, which looks anew; the old one is let go of."""
    old, new = FakeClient([said.ResponseError(f"{word} no")]), FakeClient([b"answer"])
    made = bench(old, new)
    await made.refusal()

    assert await made.run() == b"answer"
    await asyncio.sleep(0)
    assert new.found == 1
    await made.connection.close()
    assert (old.closed, new.closed) == (True, True)


async def test_clients_are_not_replaced_all_the_time(bench: Benches) -> None:
    made = bench(*(FakeClient([said.ReadOnlyError("no")]) for _ in range(9)))
    for _ in range(5):
        await made.refusal()
    assert len(made.opened) == 2

    made.now += PAUSE
    await made.refusal()
    assert len(made.opened) == 3


async def test_after_failures_in_a_row_redis_is_left_alone(bench: Benches) -> None:
    """Then one tries in each second, with a client that knows nothing of before."""
    made = bench(FakeClient([said.ConnectionError("no")]), FakeClient([said.TimeoutError("no")]))
    for _ in range(LIMIT):
        await made.refusal()
    asked = len(made.opened[0].asked)

    assert "left alone" in str(await made.refusal())
    assert len(made.opened[0].asked) == asked == LIMIT
    made.now += PAUSE
    assert "did not answer" in str(await made.refusal())
    assert "left alone" in str(await made.refusal())
    made.now += PAUSE
    assert await made.run() == b"later"
    assert await made.run() == b"later"


async def test_each_place_fails_for_itself(bench: Benches) -> None:
    """One node of a cluster is down: the calls of the others do not notice."""
    answers = [*(said.ConnectionError("no") for _ in range(LIMIT)), b"answer"]
    places = {"a": "one", "b": "two"}
    made = bench(FakeClient(answers, places), FakeClient([b"answer"], places))
    for _ in range(LIMIT):
        await made.refusal("a")

    assert "left alone" in str(await made.refusal("a"))
    assert await made.run("b") == b"answer"


async def test_a_refusal_is_no_failure(bench: Benches) -> None:
    """Redis is there and answers; it costs nobody anything."""
    made = bench(FakeClient([said.ResponseError("ERR no")]))
    refusals = [str(await made.refusal()) for _ in range(3 * LIMIT)]

    assert not any("left alone" in refusal for refusal in refusals)


async def test_many_commands_at_once(bench: Benches) -> None:
    made = bench(FakeClient([1, 2, 3, 4]))

    assert await made.connection.ask_all([("GET", "a")], within=1) == [2, 3, 4]


async def test_one_of_many_commands_fails(bench: Benches) -> None:
    """Half an answer is none."""
    made = bench(FakeClient([1, 2, said.ResponseError("ERR no"), 4]))

    with pytest.raises(StoreError, match="refused"):
        await made.connection.ask_all([("GET", "a")], within=1)


async def test_what_is_not_redis_s_fault_is_raised(bench: Benches) -> None:
    """A mistake of ours is loud."""
    with pytest.raises(ZeroDivisionError):
        await bench(FakeClient([ZeroDivisionError()])).run()


async def test_closing_is_bounded(bench: Benches) -> None:
    """Whoever does not let go is left."""
    old, new = FakeClient([said.ReadOnlyError("no")], hangs=True), FakeClient([b""], hangs=True)
    made = bench(old, new)
    await made.refusal()
    await made.run()

    async with asyncio.timeout(5):
        await made.connection.close()

    assert (old.closed, new.closed) == (True, True)
    assert "has been closed" in str(await made.refusal())


async def test_whoever_is_cancelled_stops(server: RedisServer) -> None:
    """Whenever that happens: also in the turn in which redis-py has just sent something."""
    connection = Connection(Socket(str(server.socket)))
    await connection.ask("key", ("PING",), 5)

    async def ask_for_ever() -> None:
        while True:
            await connection.ask("key", ("PING",), 5)

    for _ in range(30):
        asking = asyncio.create_task(ask_for_ever())
        await asyncio.sleep(0.003)
        asking.cancel()
        await asyncio.wait([asking], timeout=5)
        assert asking.cancelled()
    await connection.close()


async def test_the_operator_is_told_now_and_then(
    bench: Benches, caplog: pytest.LogCaptureFixture
) -> None:
    """Where Redis is, what is wrong with it, and no secret."""
    caplog.set_level(logging.WARNING)
    made = bench(*(FakeClient([said.ConnectionError("no")]) for _ in range(99)))
    for _ in range(5 * LIMIT):
        await made.refusal()
        made.now += PAUSE

    assert caplog.messages == [
        "the server h:6379: Redis cannot be reached (ConnectionError). Calls go on without it"
    ]
    made.now += QUIET_SECONDS
    await made.refusal()
    assert len(caplog.messages) == 2
