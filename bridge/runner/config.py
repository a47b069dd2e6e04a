"""How a runner deals with tools, and what it offers the model of them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from bridge.errors import ConfigError
from bridge.ports.session import RealtimeConfig, ToolDefinition

__all__ = ["RunnerConfig", "offering"]


@dataclass(frozen=True, slots=True)
class RunnerConfig:
    """How tools are run. Raises ConfigError when none could ever run."""

    auto_execute_tools: bool = True
    """False: tool calls are only told; answer them with `send_tool_response`."""
    auto_respond_tools: bool = True
    """False: tools run, but their answers stay here; send them with `send_tool_response`."""
    max_concurrent_tools: int = 4

    def __post_init__(self) -> None:
        if self.max_concurrent_tools < 1:
            raise ConfigError("max_concurrent_tools must be at least 1")


def offering(config: RealtimeConfig, handled: Sequence[ToolDefinition]) -> RealtimeConfig:
    """The configuration with the tools that have handlers, and those it names itself."""
    if not handled:
        return config
    names = {tool.name for tool in handled}
    named = tuple(tool for tool in config.tools or () if tool.name not in names)
    return replace(config, tools=(*handled, *named))
