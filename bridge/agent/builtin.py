"""The tools that every agent may have: ending the call, and connecting the caller to people."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from bridge.agent.context import CallContext
from bridge.agent.tools import Tool
from bridge.functions.schema import misfit
from bridge.ports.model import ToolCall
from bridge.ports.session import ToolDefinition

__all__ = ["hang_up", "transfer"]


def hang_up() -> Tool:
    """Ends the call once the caller has heard what is being said."""
    definition = ToolDefinition(
        "hang_up",
        "Ends the telephone call. Say goodbye first, and use it only when the caller "
        "has nothing more to ask for or wants to end the call.",
        _object({}),
    )

    async def body(call: ToolCall, context: CallContext) -> Any:
        _check(call.arguments, {})
        await context.hang_up()
        return "The call ends when the caller has heard you."

    return Tool(definition, body, idempotent=True)


def transfer(names: Iterable[str]) -> Tool:
    """Connects the caller to one of the agent's transfer targets, by name only."""
    targets = list(names)
    target = {
        "type": "string",
        "enum": targets,
        "description": "Whom to connect the caller to.",
    }
    definition = ToolDefinition(
        "transfer",
        "Connects the caller to a person and ends your part of the call. Tell the caller "
        "first whom you are connecting them to.",
        _object({"target": target}),
    )

    async def body(call: ToolCall, context: CallContext) -> Any:
        _check(call.arguments, {"target": targets})
        await context.transfer(call.arguments["target"])
        return "The caller is being connected when they have heard you."

    return Tool(definition, body, idempotent=True)


def _object(properties: dict[str, Any]) -> dict[str, Any]:
    return {
        "type": "object",
        "properties": properties,
        "required": list(properties),
        "additionalProperties": False,
    }


def _check(arguments: Mapping[str, Any], allowed: Mapping[str, Sequence[str]]) -> None:
    """These arguments, each with one of its words. Raises ToolArgumentsError."""
    problems = [f"{name}: is required" for name in allowed if name not in arguments]
    if any(name not in allowed for name in arguments):
        problems.append("arguments: has an argument that does not exist")
    problems += [
        f"{name}: must be one of {', '.join(words)}"
        for name, words in allowed.items()
        if name in arguments and arguments[name] not in words
    ]
    if problems:
        raise misfit(problems)
