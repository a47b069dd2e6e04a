"""What an operator asks to change of a live call, read from JSON."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Any

from bridge.agent.tools import Tool
from bridge.ports.mail import ChangeWish
from bridge.ports.session import RealtimeConfig, ToolDefinition

__all__ = ["BadChange", "read_change"]

FIELDS = ("instructions", "tools", "voice", "extra", "bridge_message")


class BadChange(ValueError):
    """The text says what is wrong and what would be right."""


def read_change(body: Any, tools: Iterable[Tool]) -> ChangeWish:
    """
    What is wished for: the change, and the bridge message if there is one.

    `tools` lists those of the agent's tools that the model may use from now on, since only
    what has a handler can be offered: by their names, or as objects with a name, whose
    description and parameters replace the tool's own. Raises BadChange.
    """
    if not isinstance(body, Mapping):
        raise BadChange("the body must be a JSON object")
    if unknown := sorted(set(body) - set(FIELDS)):
        raise BadChange(f"unknown: {', '.join(unknown)}; there are: {', '.join(FIELDS)}")
    if not any(body.get(name) is not None for name in FIELDS):
        raise BadChange(f"nothing to change; there are: {', '.join(FIELDS)}")
    change = RealtimeConfig(
        instruction=_text(body, "instructions"),
        voice=_text(body, "voice"),
        tools=_tools(body.get("tools"), tools),
        extra=_object(body, "extra"),
    )
    return ChangeWish(change, _text(body, "bridge_message"))


def _text(body: Mapping[str, Any], name: str) -> str | None:
    value = body.get(name)
    if value is not None and (not isinstance(value, str) or not value.strip()):
        raise BadChange(f"{name} must be a text")
    return value


def _object(body: Mapping[str, Any], name: str) -> Mapping[str, Any] | None:
    value = body.get(name)
    if value is not None and not isinstance(value, Mapping):
        raise BadChange(f"{name} must be an object")
    return value


def _tools(given: Any, tools: Iterable[Tool]) -> tuple[ToolDefinition, ...] | None:
    if given is None:
        return None
    if not isinstance(given, list):
        raise BadChange("tools must be a list of names")
    known = {tool.definition.name: tool.definition for tool in tools}
    asked = [each if isinstance(each, Mapping) else {"name": each} for each in given]
    names = [str(each.get("name")) for each in asked]
    if missing := [name for name in names if name not in known]:
        raise BadChange(f"the agent has no tool {', '.join(missing)}; it has: {', '.join(known)}")
    if len(set(names)) < len(names):
        raise BadChange("tools must name each tool once")
    return tuple(_tool(known[each["name"]], each) for each in asked)


def _tool(known: ToolDefinition, asked: Mapping[str, Any]) -> ToolDefinition:
    return replace(
        known,
        description=_text(asked, "description") or known.description,
        parameters=_object(asked, "parameters") or known.parameters,
    )
