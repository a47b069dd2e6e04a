"""A function as a tool: definition by hand, arguments checked against its JSON schema."""

from __future__ import annotations

import asyncio
import inspect
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, cast

import jsonschema
from referencing import Registry

from bridge.errors import ToolArgumentsError
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

    async def execute(self, call: ToolCall) -> Any:
        """Raises ToolArgumentsError when the arguments do not fit the definition."""
        _check(call, self.definition)
        if inspect.iscoroutinefunction(self.function):
            return await self.function(call)
        answer = await asyncio.to_thread(self.function, call)
        return await answer if inspect.isawaitable(answer) else answer


def _check(call: ToolCall, definition: ToolDefinition) -> None:
    if definition.parameters is None:
        return
    # An empty registry: a reference to another document is an error, not a download.
    validator = jsonschema.Draft202012Validator(definition.parameters, registry=Registry())
    errors = sorted(validator.iter_errors(dict(call.arguments)), key=lambda error: error.json_path)
    if errors:
        wrong = "; ".join(dict.fromkeys(f"{_where(error)}: {_why(error)}" for error in errors))
        raise ToolArgumentsError(f"The arguments do not fit: {wrong}.")


def _where(error: jsonschema.ValidationError) -> str:
    return ".".join(map(str, error.path)) or "arguments"


def _why(error: jsonschema.ValidationError) -> str:
    """The reason without the value: what a caller said belongs in no error text."""
    match error.validator:
        case "required":
            required = cast("list[str]", error.validator_value)
            given = cast("dict[str, Any]", error.instance)
            return f"{', '.join(name for name in required if name not in given)} missing"
        case "type" | "enum":
            return f"must be of {error.validator} {error.validator_value}"
        case rule:
            return f"breaks the rule {rule}"
