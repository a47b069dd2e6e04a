"""The tools that every agent may have: ending the call, and connecting the caller to people."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from bridge.agent.context import CallContext
from bridge.agent.tools import Tool, checked
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
        await context.hang_up()
        return "The call ends when the caller has heard you."

    return Tool(definition, checked(definition, body), idempotent=True)


def transfer(names: Iterable[str]) -> Tool:
    """Connects the caller to one of the agent's transfer targets, by name only."""
    target = {
        "type": "string",
        "enum": list(names),
        "description": "Whom to connect the caller to.",
    }
    definition = ToolDefinition(
        "transfer",
        "Connects the caller to a person and ends your part of the call. Tell the caller "
        "first whom you are connecting them to.",
        _object({"target": target}),
    )

    async def body(call: ToolCall, context: CallContext) -> Any:
        await context.transfer(call.arguments["target"])
        return "The caller is being connected when they have heard you."

    return Tool(definition, checked(definition, body))


def _object(properties: dict[str, Any]) -> dict[str, Any]:
    return {
        "type": "object",
        "properties": properties,
        "required": list(properties),
        "additionalProperties": False,
    }
