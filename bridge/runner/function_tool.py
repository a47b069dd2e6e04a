"""A function as a tool: definition by hand, arguments checked against its JSON schema."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from bridge.functions import threads
from bridge.functions.json_schema import JsonSchema
from bridge.ports.model import ToolCall
from bridge.ports.session import ToolDefinition

__all__ = ["FunctionTool"]


@dataclass(frozen=True, slots=True)
class FunctionTool:
    """`function` takes the ToolCall; a plain one runs in a thread, so that it may block."""

    definition: ToolDefinition
    function: Callable[[ToolCall], Any]
    timeout: float = 8.0
    idempotent: bool = False
    needs_journal: bool = False

    def __post_init__(self) -> None:
        """Raises ConfigError when the definition's parameters are no schema of an object."""
        if self.definition.parameters is not None:
            JsonSchema(self.definition.parameters)

    async def execute(self, call: ToolCall) -> Any:
        """Raises ToolArgumentsError when the arguments do not fit the definition."""
        if self.definition.parameters is not None:
            JsonSchema(self.definition.parameters).check(call.arguments)
        return await threads.run(self.function, call)
