"""A conversation as OpenAI is told it: items of `conversation.item.create`."""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import Any

from bridge.ports.conversation import AgentSaid, CallerSaid, HistoryItem, Note, ToolUsed
from bridge.ports.model import ToolResponse

__all__ = ["write_answer", "write_history", "write_message"]

_CONTENT_TYPES = {"user": "input_text", "system": "input_text", "assistant": "output_text"}


def write_history(history: Iterable[HistoryItem]) -> list[dict[str, Any]]:
    """The items in order, each with an id of ours, so that the last can be recognised."""
    items = [item for said in history for item in _items(said)]
    return [{"id": f"told_{number}", **item} for number, item in enumerate(items)]


def write_message(role: str, text: str) -> dict[str, Any]:
    """A message of the `user`, the `assistant` or the `system`; KeyError for another role."""
    content = {"type": _CONTENT_TYPES[role], "text": text}
    return {"type": "message", "role": role, "content": [content]}


def write_answer(answer: ToolResponse) -> dict[str, Any]:
    """The answer to a tool call: a text as it is, anything else as JSON."""
    output = answer.output
    text = output if isinstance(output, str) else json.dumps(output, ensure_ascii=False)
    return _output(answer.call_id, text)


def _items(said: HistoryItem) -> list[dict[str, Any]]:
    match said:
        case CallerSaid(text):
            return [write_message("user", text)] if text else []
        case AgentSaid(text):
            return [write_message("assistant", text)] if text else []
        case Note(text):
            return [write_message("system", text)] if text else []
        case ToolUsed(call_id, name, arguments, output):
            call = {
                "type": "function_call",
                "call_id": call_id,
                "name": name,
                "arguments": arguments,
            }
            return [call, _output(call_id, output)]


def _output(call_id: str, text: str) -> dict[str, Any]:
    return {"type": "function_call_output", "call_id": call_id, "output": text}
