"""
Tool calls, told once each.

The API tells a call in three places, of which older servers leave some out, and it says
"done" of arguments that an interruption cut off in the middle. A call counts as soon as
its arguments are a whole, or at the latest when its item is completed.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any

from bridge.ports.server_events import FunctionCallDone

__all__ = ["ToolCalls"]

Frame = Mapping[str, Any]


class ToolCalls:
    """One session's calls: their names, and which of them were told already."""

    def __init__(self) -> None:
        self._names: dict[str, str] = {}
        self._told: set[str] = set()

    def announced(self, item: Frame) -> None:
        """`response.output_item.added`: the first to know the name."""
        if item.get("type") == "function_call" and isinstance(name := item.get("name"), str):
            self._names[item["call_id"]] = name

    def arguments_done(self, frame: Frame) -> Iterator[FunctionCallDone]:
        """`response.function_call_arguments.done`; some servers leave the name out."""
        call_id, arguments = frame["call_id"], frame["arguments"]
        name = frame.get("name") or self._names.get(call_id)
        if _is_whole(arguments):
            yield from self._tell(frame, call_id, name, arguments)

    def item_done(self, frame: Frame) -> Iterator[FunctionCallDone]:
        """`response.output_item.done`: here is everything, unless it was cut off."""
        item = frame["item"]
        if item.get("type") == "function_call" and item.get("status") in {None, "completed"}:
            call_id = item.get("call_id")
            name = item.get("name") or self._names.get(call_id)
            place = {**frame, "item_id": item.get("id")}
            yield from self._tell(place, call_id, name, item.get("arguments"))

    def response_done(self, response: Frame) -> Iterator[FunctionCallDone]:
        """`response.done`: for servers that told a call nowhere else."""
        output = response.get("output")
        for index, item in enumerate(output if isinstance(output, list) else ()):
            if isinstance(item, dict):
                place = {"item": item, "response_id": response.get("id"), "output_index": index}
                yield from self.item_done(place)
        self._names.clear()

    def _tell(
        self, place: Frame, call_id: Any, name: Any, arguments: Any
    ) -> Iterator[FunctionCallDone]:
        if not all(isinstance(text, str) for text in (call_id, name, arguments)):
            return
        if call_id in self._told:
            return
        self._told.add(call_id)
        yield FunctionCallDone(
            call_id,
            name,
            arguments,
            place.get("response_id") or "",
            place.get("item_id") or "",
            place.get("output_index") or 0,
            place.get("event_id") or "",
        )


def _is_whole(arguments: str) -> bool:
    try:
        return isinstance(json.loads(arguments), dict)
    except (ValueError, RecursionError):
        return False
