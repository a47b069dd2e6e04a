"""The items of a conversation, and what may be done to them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from copy import deepcopy
from typing import Any

from tests.fakes.openai.script import Raise

__all__ = ["Conversation"]

_MAX_ID = 32  # characters of an item's id

Outcome = list[tuple[str, dict[str, Any]]]


class Conversation:
    """Items in their order, and how long the audio of each answer is."""

    def __init__(self) -> None:
        self.id = "conv_0001"
        self.items: list[dict[str, Any]] = []
        self.audio_ms: dict[str, int] = {}
        """By item of the model's, in milliseconds; a truncation shortens it."""

    def enter(self, item: dict[str, Any]) -> str | None:
        """Put an item at the end; returns the id of the one before it."""
        previous = self.items[-1]["id"] if self.items else None
        self.items.append(item)
        return previous

    def find(self, item_id: str) -> dict[str, Any] | None:
        return next((item for item in self.items if item["id"] == item_id), None)

    def change(self, event: Mapping[str, Any], new_id: Callable[[str], str]) -> Outcome | Raise:
        """Obey a `conversation.item.*` event: the events that answer it, or the error."""
        match event["type"]:
            case "conversation.item.create":
                return self._create(event, new_id)
            case "conversation.item.truncate":
                return self._truncate(event)
            case "conversation.item.delete":
                return self._delete(event["item_id"])
            case _:
                return self._retrieve(event["item_id"])

    def _create(self, event: Mapping[str, Any], new_id: Callable[[str], str]) -> Outcome | Raise:
        item = deepcopy(event["item"])
        item.setdefault("id", new_id("item"))
        if (error := self._creation_error(item, event.get("previous_item_id"))) is not None:
            return error
        item |= {"object": "realtime.item", "status": "completed"}
        place = self._place(event.get("previous_item_id"))
        previous = self.items[place - 1]["id"] if place else None
        self.items.insert(place, item)
        fields = {"item": item, "previous_item_id": previous}
        return [("conversation.item.added", fields), ("conversation.item.done", fields)]

    def _creation_error(self, item: Mapping[str, Any], previous: str | None) -> Raise | None:
        if len(item["id"]) > _MAX_ID:
            return Raise("string_above_max_length", message="Invalid 'item.id': string too long.")
        if self.find(item["id"]) is not None:
            return Raise("item_create_duplicate_item_id", message="The item exists already.")
        if previous not in {None, "root"} and self.find(str(previous)) is None:
            return Raise("item_create_invalid_previous_item_id", message="No such item.")
        if item["type"] == "message":
            return _content_error(item)
        if item["type"] == "function_call_output":
            calls = {known.get("call_id") for known in self.items if known.get("name")}
            if item["call_id"] not in calls:
                message = f"Tool call ID '{item['call_id']}' not found in conversation."
                return Raise("invalid_tool_call_id", message=message)
        return None

    def _place(self, previous: str | None) -> int:
        if previous == "root":
            return 0
        ids = [item["id"] for item in self.items]
        return ids.index(previous) + 1 if previous is not None else len(ids)

    def _truncate(self, event: Mapping[str, Any]) -> Outcome | Raise:
        item_id, end_ms = event["item_id"], event["audio_end_ms"]
        item = self.find(item_id)
        if item is None:
            message = f"Error truncating item: item with item_id '{item_id}' not found."
            return Raise("item_truncate_invalid_item_id", message=message)
        if item_id not in self.audio_ms or event["content_index"] != 0:
            return Raise(None, message="Only model output audio messages can be truncated")
        if end_ms < 0 or end_ms > self.audio_ms[item_id]:
            length = self.audio_ms[item_id]
            message = f"Audio content of {length}ms is already shorter than {end_ms}ms"
            return Raise("invalid_value", message=message)
        self.audio_ms[item_id] = end_ms
        item["content"] = [{"type": "output_audio", "transcript": None}]
        fields = {"item_id": item_id, "content_index": 0, "audio_end_ms": end_ms}
        return [("conversation.item.truncated", fields)]

    def _delete(self, item_id: str) -> Outcome | Raise:
        item = self.find(item_id)
        if item is None:
            return Raise("item_delete_invalid_item_id", message="No such item.")
        self.items.remove(item)
        return [("conversation.item.deleted", {"item_id": item_id})]

    def _retrieve(self, item_id: str) -> Outcome | Raise:
        item = self.find(item_id)
        if item is None:
            return Raise("item_retrieve_invalid_item_id", message="No such item.")
        return [("conversation.item.retrieved", {"item": item})]


def _content_error(item: Mapping[str, Any]) -> Raise | None:
    """Texts must be there, and nobody can put audio into the model's mouth."""
    texts = {"user": "input_text", "system": "input_text", "assistant": "output_text"}
    for number, part in enumerate(item["content"]):
        spoken = part.get("type") == "input_audio" and item["role"] == "user"
        if spoken and part.get("audio"):
            continue
        if part.get("type") != texts[item["role"]]:
            return Raise("invalid_value", message=f"Invalid value: {part.get('type')!r}.")
        if not isinstance(part.get("text"), str):
            message = f"Missing required parameter: 'item.content[{number}].text'."
            return Raise("missing_required_parameter", message=message)
    return None
