"""Building a runner piece by piece, as the seed's users are used to."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Self

from bridge.errors import ConfigError
from bridge.ports.model import RealtimeModel, ToolCall
from bridge.ports.session import RealtimeConfig, ToolDefinition
from bridge.ports.tools import ToolHandler, ToolJournal
from bridge.runner.config import RunnerConfig
from bridge.runner.function_tool import FunctionTool
from bridge.runner.handler import EventHandler

if TYPE_CHECKING:
    from bridge.runner.runner import RealtimeRunner

__all__ = ["RealtimeRunnerBuilder"]


class RealtimeRunnerBuilder:
    """Each method says one thing, in any order; `build` makes the runner."""

    def __init__(self, make: type[RealtimeRunner]) -> None:
        self._make = make
        self._model: RealtimeModel | None = None
        self._config = RealtimeConfig()
        self._runner_config = RunnerConfig()
        self._tools: dict[str, ToolHandler] = {}
        self._event_handler: EventHandler | None = None
        self._journal: ToolJournal | None = None

    def model(self, model: RealtimeModel) -> Self:
        self._model = model
        return self

    def config(self, config: RealtimeConfig) -> Self:
        """What `config` names; what was said before and it does not name stays."""
        self._config = self._config.merge(config)
        return self

    def runner_config(self, runner_config: RunnerConfig) -> Self:
        self._runner_config = runner_config
        return self

    def instruction(self, instruction: str) -> Self:
        self._config = self._config.with_instruction(instruction)
        return self

    def voice(self, voice: str) -> Self:
        self._config = self._config.with_voice(voice)
        return self

    def tool(self, handler: ToolHandler) -> Self:
        """Raises ConfigError when there is a tool of this name already."""
        name = handler.definition.name
        if name in self._tools:
            raise ConfigError(f"there are two tools called {name}")
        self._tools[name] = handler
        return self

    def tool_fn(self, definition: ToolDefinition, function: Callable[[ToolCall], Any]) -> Self:
        """A tool that is a function of the ToolCall, plain or async."""
        return self.tool(FunctionTool(definition, function))

    def journal(self, journal: ToolJournal) -> Self:
        """Where it is written down which tools were begun, and what they answered."""
        self._journal = journal
        return self

    def event_handler(self, handler: EventHandler) -> Self:
        self._event_handler = handler
        return self

    def build(self) -> RealtimeRunner:
        """Raises ConfigError without a model."""
        if self._model is None:
            raise ConfigError("a runner needs a model")
        return self._make(
            self._model,
            self._config,
            tools=self._tools.values(),
            event_handler=self._event_handler,
            runner_config=self._runner_config,
            journal=self._journal,
        )
