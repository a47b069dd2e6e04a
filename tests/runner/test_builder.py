"""Building a runner piece by piece."""

from __future__ import annotations

import pytest

from bridge.errors import ConfigError
from bridge.ports.model import ToolCall
from bridge.ports.server_events import FunctionCallDone
from bridge.ports.session import RealtimeConfig, ToolDefinition
from bridge.runner.config import RunnerConfig
from bridge.runner.handler import EventHandler
from bridge.runner.runner import RealtimeRunner
from tests.fakes.model import FakeModel, turns
from tests.runner.tooling import FakeJournal, FakeTool

LOOK = ToolDefinition("look")


def test_what_is_said_in_pieces_is_one_configuration() -> None:
    """In any order: a whole configuration takes nothing away that was said before."""
    runner = (
        RealtimeRunner.builder()
        .instruction("Be kind.")
        .voice("sage")
        .config(RealtimeConfig(temperature=0.8, voice="ash"))
        .model(FakeModel())
        .build()
    )

    assert runner.config == RealtimeConfig(instruction="Be kind.", voice="ash", temperature=0.8)


def test_tools_are_offered_in_the_order_in_which_they_came() -> None:
    """Besides those that the configuration names."""
    runner = (
        RealtimeRunner.builder()
        .model(FakeModel())
        .tool(FakeTool("one"))
        .tool_fn(ToolDefinition("two"), lambda call: 2)
        .config(RealtimeConfig(tools=(ToolDefinition("three"),)))
        .tool(FakeTool("four"))
        .build()
    )

    names = [tool.name for tool in runner.config.tools or ()]
    assert names == ["one", "two", "four", "three"]


def test_a_tool_is_not_replaced_in_silence() -> None:
    """Two of one name are a mistake, however they were given."""
    builder = RealtimeRunner.builder().tool(FakeTool("look"))

    with pytest.raises(ConfigError, match="two tools called look"):
        builder.tool_fn(LOOK, lambda call: 2)


def test_there_is_no_runner_without_a_model() -> None:
    """Said when it is built, not when it connects."""
    with pytest.raises(ConfigError, match="model"):
        RealtimeRunner.builder().build()


async def test_everything_arrives_where_it_belongs() -> None:
    """The model is connected to with the configuration, and the options count."""
    model = FakeModel()
    calls: list[ToolCall] = []
    runner = (
        RealtimeRunner.builder()
        .model(model)
        .instruction("Be kind.")
        .tool_fn(LOOK, calls.append)
        .event_handler(EventHandler())
        .runner_config(RunnerConfig(auto_execute_tools=False))
        .build()
    )
    async with runner:
        pass

    assert model.configs == [RealtimeConfig(instruction="Be kind.", tools=(LOOK,))]


async def test_a_journal_is_asked() -> None:
    """Before a tool runs."""
    journal, model = FakeJournal(), FakeModel()
    builder = RealtimeRunner.builder().model(model).tool(FakeTool("look"))
    async with builder.journal(journal).build():
        model.session.emit(FunctionCallDone("c1", "look", "{}"))
        await turns()

    assert journal.told == ["begin c1", "done c1"]
