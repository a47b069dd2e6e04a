"""How a runner deals with tools, and what it offers the model of them."""

from __future__ import annotations

import pytest

from bridge.errors import ConfigError
from bridge.ports.session import RealtimeConfig, ToolDefinition
from bridge.runner.config import RunnerConfig, offering

LOOK, BOOK, CALL = (ToolDefinition(name) for name in ("look", "book", "call"))


def test_tools_are_run_and_answered_unless_one_says_otherwise() -> None:
    """Four at a time."""
    assert RunnerConfig() == RunnerConfig(True, True, 4)


def test_there_must_be_a_place_for_a_tool() -> None:
    """With none every call would wait for ever."""
    with pytest.raises(ConfigError, match="at least 1"):
        RunnerConfig(max_concurrent_tools=0)


def test_tools_with_handlers_are_offered_first() -> None:
    """In the order in which they were given; those that only have a definition follow."""
    config = RealtimeConfig(voice="sage", tools=(CALL, LOOK))

    offered = offering(config, (LOOK, BOOK))

    assert offered == RealtimeConfig(voice="sage", tools=(LOOK, BOOK, CALL))


def test_without_handlers_nothing_changes() -> None:
    """None is still the provider's default."""
    assert offering(RealtimeConfig(), ()) == RealtimeConfig()
