"""Tools at work."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Iterable
from typing import Any

import pytest

from bridge.errors import ConfigError, ToolArgumentsError
from bridge.functions.results import MAX_SIZE
from bridge.ports.model import ToolCall
from bridge.ports.runner_events import ToolOutcome
from bridge.ports.session import ToolDefinition
from bridge.runner.tools import ToolPool
from bridge.runner.vocabulary import RunTool
from tests.fakes.model import turns
from tests.runner.tooling import FakeTool, HeldTool

SECRET = "the caller's number"


class Bench:
    """A pool, and what it told."""

    def __init__(self, *handlers: FakeTool, max_concurrent: int = 4, patience: float = 1.0) -> None:
        self.pool = ToolPool(max_concurrent=max_concurrent, patience=patience)
        self.pool.register(handlers)
        self.started: list[str] = []
        self.answers: dict[str, Any] = {}
        self.outcomes: dict[str, ToolOutcome] = {}
        self.seconds: dict[str, float] = {}
        self._news = asyncio.Event()

    def run(
        self,
        call_id: str = "c1",
        arguments: str = "{}",
        name: str = "look",
        offered: Iterable[ToolDefinition] | None = None,
    ) -> None:
        self.pool.run(
            RunTool(call_id, name, arguments),
            self.pool.definitions() if offered is None else offered,
            started=lambda call_id, _name: self.started.append(call_id),
            done=self._done,
        )

    async def finished(self, count: int = 1) -> None:
        while len(self.outcomes) < count:
            self._news.clear()
            await self._news.wait()

    async def outcome(self, arguments: str = "{}") -> tuple[ToolOutcome, Any]:
        """Run one call to its end."""
        self.run(arguments=arguments)
        await self.finished()
        return self.outcomes["c1"], self.answers["c1"]

    def _done(
        self, call_id: str, name: str, answer: Any, outcome: ToolOutcome, seconds: float
    ) -> None:
        self.answers[call_id] = answer
        self.outcomes[call_id] = outcome
        self.seconds[call_id] = seconds
        self._news.set()


def raising(error: BaseException) -> FakeTool:
    async def act(call: ToolCall) -> Any:
        raise error

    return FakeTool(act=act)


def answering(answer: Any) -> FakeTool:
    async def act(call: ToolCall) -> Any:
        return answer

    return FakeTool(act=act)


async def test_a_tool_is_told_its_arguments() -> None:
    """And its answer is told as it is."""
    tool = answering({"temperature": 21})
    bench = Bench(tool)

    outcome = await bench.outcome('{"city": "Bonn"}')

    assert outcome == (ToolOutcome.ANSWERED, {"temperature": 21})
    assert tool.calls == [ToolCall("c1", "look", {"city": "Bonn"})]
    assert bench.started == ["c1"]


async def test_no_arguments_are_none() -> None:
    """Some models write nothing at all."""
    tool = FakeTool()

    assert (await Bench(tool).outcome(""))[0] is ToolOutcome.ANSWERED
    assert tool.calls[0].arguments == {}


@pytest.mark.parametrize("arguments", ["{", "[1]", "7", "null", '{"a": }'])
async def test_arguments_that_are_no_object_are_not_run(arguments: str) -> None:
    """The model is told what is wrong, so that it can mend the call."""
    tool = FakeTool()

    outcome, answer = await Bench(tool).outcome(arguments)

    assert outcome is ToolOutcome.BAD_ARGUMENTS
    assert answer["error"]["code"] == "invalid_arguments"
    assert tool.calls == []


async def test_arguments_that_the_tool_refuses_are_told_in_its_words() -> None:
    """A ToolArgumentsError is for the model."""
    outcome, answer = await Bench(raising(ToolArgumentsError("day: missing"))).outcome()

    assert outcome is ToolOutcome.BAD_ARGUMENTS
    assert answer == {"error": {"code": "invalid_arguments", "message": "day: missing"}}


@pytest.mark.parametrize(
    "error", [RuntimeError(SECRET), SystemExit(SECRET), asyncio.CancelledError(SECRET)]
)
async def test_a_tool_that_fails_answers_all_the_same(
    error: BaseException, caplog: pytest.LogCaptureFixture
) -> None:
    """What it raised is told to nobody: not to the model, and not to the log."""
    with caplog.at_level(logging.DEBUG):
        outcome, answer = await Bench(raising(error)).outcome()

    assert outcome is ToolOutcome.FAILED
    assert answer == {"error": {"code": "tool_failed", "message": "The tool failed."}}
    assert SECRET not in caplog.text
    assert type(error).__name__ in caplog.text


async def test_a_tool_that_takes_too_long_is_given_up() -> None:
    """The model learns that nobody knows what it did."""
    tool = HeldTool(timeout=0.01)

    outcome, answer = await Bench(tool).outcome()

    assert outcome is ToolOutcome.TIMED_OUT
    assert answer["error"]["code"] == "timeout"
    assert tool.cancelled == 1


async def test_a_tool_that_nobody_offered_does_not_run() -> None:
    """Even when there is a handler for it."""
    tool = FakeTool()
    bench = Bench(tool)
    bench.run("c1", offered=[ToolDefinition("other")])
    bench.run("c2", name="other", offered=[ToolDefinition("other")])
    await bench.finished(2)

    assert bench.outcomes == {"c1": ToolOutcome.UNKNOWN_TOOL, "c2": ToolOutcome.UNKNOWN_TOOL}
    assert bench.answers["c1"]["error"]["code"] == "unknown_tool"
    assert tool.calls == []


async def test_tools_run_side_by_side_and_not_too_many() -> None:
    """Those that wait begin when there is a place, and only then count as started."""
    tool = HeldTool()
    bench = Bench(tool, max_concurrent=2)
    for number in range(4):
        bench.run(f"c{number}")
    await turns()
    started = list(bench.started)
    tool.gate.set()
    await bench.finished(4)

    assert started == ["c0", "c1"]
    assert tool.most == 2
    assert set(bench.outcomes.values()) == {ToolOutcome.ANSWERED}


async def test_a_cancelled_tool_stops() -> None:
    """It has no answer; cancelling it again, or another, is harmless."""
    tool = HeldTool()
    bench = Bench(tool)
    bench.run()
    await turns()
    bench.pool.cancel("c1")
    bench.pool.cancel("c9")
    await bench.finished()
    bench.pool.cancel("c1")

    assert bench.outcomes == {"c1": ToolOutcome.CANCELLED}
    assert bench.answers == {"c1": None}
    assert tool.cancelled == 1


async def test_a_tool_that_waits_for_its_place_can_be_cancelled() -> None:
    """It never began."""
    tool = HeldTool()
    bench = Bench(tool, max_concurrent=1)
    bench.run("c1")
    bench.run("c2")
    await turns()
    bench.pool.cancel("c2")
    await bench.finished()
    tool.gate.set()
    await bench.finished(2)

    assert bench.outcomes == {"c2": ToolOutcome.CANCELLED, "c1": ToolOutcome.ANSWERED}
    assert bench.started == ["c1"]


async def test_closing_cancels_everything() -> None:
    """And waits until it is gone. Closing an idle pool takes no time."""
    tool = HeldTool()
    bench = Bench(tool)
    bench.run("c1")
    bench.run("c2")
    await turns()
    await bench.pool.close()
    await bench.pool.close()

    assert tool.running == 0
    assert tool.cancelled == 2


async def test_closing_does_not_wait_for_a_tool_that_will_not_stop(
    caplog: pytest.LogCaptureFixture,
) -> None:
    """It is left to itself, and somebody is told."""
    gate = asyncio.Event()

    async def stubborn(call: ToolCall) -> str:
        while not gate.is_set():
            try:
                await gate.wait()
            except asyncio.CancelledError:
                continue
        return "done"

    bench = Bench(FakeTool(act=stubborn), patience=0.01)
    bench.run()
    await turns()
    await bench.pool.close()
    warned = "does not stop" in caplog.text
    gate.set()
    await bench.finished()

    assert warned


async def test_a_tool_runs_in_the_version_that_was_offered() -> None:
    """A session that knows the older version goes on with it."""
    old, new = FakeTool(description="old"), FakeTool(description="new")
    bench = Bench(old)
    bench.pool.register([new])
    bench.run("c1", offered=[old.definition, new.definition])
    bench.run("c2", offered=[new.definition])
    bench.run("c3", offered=[ToolDefinition("look", "a third")])
    await bench.finished(3)

    assert [call.call_id for call in old.calls] == ["c1"]
    assert [call.call_id for call in new.calls] == ["c2", "c3"]
    assert bench.pool.definitions() == (new.definition,)


async def test_a_new_handler_for_the_same_definition_takes_its_place() -> None:
    """What the model sees is the same; what it gets is the newest."""
    one, other = FakeTool(), FakeTool()
    bench = Bench(one)
    bench.pool.register([other])
    await bench.outcome()

    assert (len(one.calls), len(other.calls)) == (0, 1)


def test_two_tools_cannot_have_one_name() -> None:
    """Nobody would know which one the model means."""
    with pytest.raises(ConfigError, match="two tools called look"):
        Bench(FakeTool(), FakeTool())


async def test_an_answer_that_is_too_long_is_cut() -> None:
    """It would only crowd the model's context; the cut shows."""
    outcome, told = await Bench(answering(["x" * MAX_SIZE])).outcome()

    assert outcome is ToolOutcome.ANSWERED
    assert len(told) < 2 * MAX_SIZE
    assert "cut here" in told


@pytest.mark.parametrize("answer", [float("nan"), {("a", "b"): 1}])
async def test_an_answer_that_cannot_be_told_is_a_failure(answer: Any) -> None:
    """The wire would break over it; the model is told that the tool failed."""
    outcome, told = await Bench(answering(answer)).outcome()

    assert outcome is ToolOutcome.FAILED
    assert told["error"]["code"] == "tool_failed"


async def test_how_long_a_tool_ran_is_told() -> None:
    """Without the time for which it waited for its place."""
    tool = HeldTool()
    bench = Bench(tool, max_concurrent=1)
    bench.run("c1")
    bench.run("c2")
    await asyncio.sleep(0.02)
    tool.gate.set()
    await bench.finished(2)

    assert bench.seconds["c1"] >= 0.02
    assert bench.seconds["c2"] < bench.seconds["c1"]


async def test_a_time_out_of_the_tools_own_is_a_failure() -> None:
    """It was not given up by us, whatever it calls its trouble."""
    outcome, told = await Bench(raising(TimeoutError("hunter2"))).outcome()

    assert outcome is ToolOutcome.FAILED
    assert "hunter2" not in str(told)


async def test_the_author_learns_where_it_failed(caplog: pytest.LogCaptureFixture) -> None:
    """Kind and place, and not a word of what the exception says."""
    await Bench(raising(KeyError("hunter2"))).outcome()

    assert "raised KeyError at" in caplog.text
    assert "hunter2" not in caplog.text
