"""One response of the fake's: the events that it consists of, in the protocol's order."""

from __future__ import annotations

import base64
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any, Protocol

from tests.fakes.openai.script import Call, Say
from tests.fakes.openai.sound import bytes_per_ms, from_pcm24, tone

__all__ = ["Answer"]

_DELTA_MS = 100

Emit = Callable[..., None]


@dataclass(slots=True)
class Answer:
    """A response under way. `emit(type, **fields)` sends an event."""

    response_id: str
    conversation_id: str | None
    session: dict[str, Any]
    emit: Emit
    new_id: Callable[[str], str]
    enter: Callable[[dict[str, Any]], str | None]
    """Puts an item into the conversation and returns the id of the one before it."""
    audio_ms: dict[str, int]
    """How long the audio of each item is so far."""
    metadata: dict[str, str] | None = None
    items: list[dict[str, Any]] = field(default_factory=list)
    _open: Callable[[str], None] | None = None
    _previous: str | None = None

    def created(self) -> None:
        self.emit("response.created", response=self._response("in_progress"))
        limit = {"name": "requests", "limit": 1_000, "remaining": 999, "reset_seconds": 60.0}
        self.emit("rate_limits.updated", rate_limits=[limit])

    def done(self, status: str, details: dict[str, Any] | None = None) -> None:
        """The end; whatever is open is closed first, as incomplete if it was cut off."""
        if self._open is not None:
            self._open("completed" if status == "completed" else "incomplete")
        self.emit("response.done", response=self._response(status, details))

    def say(self, say: Say) -> Iterator[None]:
        """A message in the session's modality; yields after each piece of 100 ms."""
        if self.session["output_modalities"] == ["text"]:
            message: _Message = _Text(self)
        else:
            message = _Speech(self)
        item: dict[str, Any] = {
            "id": self.new_id("item"),
            "object": "realtime.item",
            "type": "message",
            "role": "assistant",
            "status": "in_progress",
            "content": [],
        }
        address = self._begin(item) | {"content_index": 0}
        self.emit("response.content_part.added", **address, part=message.part(""))
        said: list[str] = []

        def close(status: str) -> None:
            words = "".join(said)
            message.end(address, words)
            self.emit("response.content_part.done", **address, part=message.part(words))
            item["content"] = [message.content(words)]
            item["status"] = status
            self._end(item)

        self._open = close
        for text, audio in self._pieces(say):
            said.append(text)
            message.piece(address, text, audio)
            yield
        close("completed")

    def call(self, call: Call, *, with_name: bool = True) -> None:
        """A function call, its arguments in two pieces."""
        call_id = call.call_id or self.new_id("call")
        item = {
            "id": self.new_id("item"),
            "object": "realtime.item",
            "type": "function_call",
            "status": "in_progress",
            "name": call.name,
            "call_id": call_id,
            "arguments": "",
        }
        address = self._begin(item) | {"call_id": call_id}
        words = call.arguments_json
        half = len(words) // 2
        for piece in (words[:half], words[half:]):
            self.emit("response.function_call_arguments.delta", **address, delta=piece)
        name = {"name": call.name} if with_name else {}
        self.emit("response.function_call_arguments.done", **address, **name, arguments=words)
        item |= {"arguments": words, "status": "completed"}
        self._end(item)

    def _begin(self, item: dict[str, Any]) -> dict[str, Any]:
        self.items.append(item)
        index = len(self.items) - 1
        place = {"response_id": self.response_id, "output_index": index}
        self.emit("response.output_item.added", **place, item=dict(item))
        if self.conversation_id is not None:
            self._previous = self.enter(item)
            self.emit("conversation.item.added", item=dict(item), previous_item_id=self._previous)
        return place | {"item_id": item["id"]}

    def _end(self, item: dict[str, Any]) -> None:
        self._open = None
        if self.conversation_id is not None:
            self.emit("conversation.item.done", item=dict(item), previous_item_id=self._previous)
        place = {"response_id": self.response_id, "output_index": self.items.index(item)}
        self.emit("response.output_item.done", **place, item=dict(item))

    def _pieces(self, say: Say) -> Iterator[tuple[str, bytes]]:
        """The transcript's words come ahead of the audio, as they do."""
        output = self.session["audio"]["output"]["format"]
        audio = from_pcm24(say.audio or tone(say.seconds, say.hertz), output)
        size = bytes_per_ms(output) * _DELTA_MS
        words = re.findall(r"\S+\s*", say.text)
        count = max(1, -(-len(audio) // size))
        each = -(-len(words) // count)
        for number in range(count):
            text = "".join(words[number * each : (number + 1) * each])
            yield text, audio[number * size : (number + 1) * size]

    def _response(self, status: str, details: dict[str, Any] | None = None) -> dict[str, Any]:
        over = status != "in_progress"
        audio = {key: self.session["audio"]["output"][key] for key in ("format", "voice")}
        return {
            "object": "realtime.response",
            "id": self.response_id,
            "status": status,
            "status_details": details,
            "output": [dict(item) for item in self.items],
            "conversation_id": self.conversation_id,
            "output_modalities": self.session["output_modalities"],
            "max_output_tokens": self.session["max_output_tokens"],
            "audio": {"output": audio},
            "usage": self._usage() if over else None,
            "metadata": self.metadata,
        }

    def _usage(self) -> dict[str, Any]:
        spoken = sum(self.audio_ms.get(item["id"], 0) for item in self.items) // 50
        return {
            "total_tokens": 100 + spoken,
            "input_tokens": 100,
            "output_tokens": spoken,
            "input_token_details": {"text_tokens": 60, "audio_tokens": 40, "cached_tokens": 0},
            "output_token_details": {"text_tokens": 0, "audio_tokens": spoken},
        }


class _Message(Protocol):
    """How a message is told in one modality."""

    def part(self, words: str) -> dict[str, Any]: ...
    def content(self, words: str) -> dict[str, Any]: ...
    def piece(self, address: dict[str, Any], text: str, audio: bytes) -> None: ...
    def end(self, address: dict[str, Any], words: str) -> None: ...


class _Speech:
    def __init__(self, answer: Answer) -> None:
        self._answer = answer

    def part(self, words: str) -> dict[str, Any]:
        return {"type": "audio", "transcript": words}

    def content(self, words: str) -> dict[str, Any]:
        return {"type": "output_audio", "transcript": words}

    def piece(self, address: dict[str, Any], text: str, audio: bytes) -> None:
        emit, item_id = self._answer.emit, address["item_id"]
        if text:
            emit("response.output_audio_transcript.delta", **address, delta=text)
        emit("response.output_audio.delta", **address, delta=base64.b64encode(audio).decode())
        length = len(audio) // bytes_per_ms(self._answer.session["audio"]["output"]["format"])
        self._answer.audio_ms[item_id] = self._answer.audio_ms.get(item_id, 0) + length

    def end(self, address: dict[str, Any], words: str) -> None:
        self._answer.emit("response.output_audio.done", **address)
        self._answer.emit("response.output_audio_transcript.done", **address, transcript=words)


class _Text:
    def __init__(self, answer: Answer) -> None:
        self._answer = answer

    def part(self, words: str) -> dict[str, Any]:
        return {"type": "text", "text": words}

    def content(self, words: str) -> dict[str, Any]:
        return {"type": "output_text", "text": words}

    def piece(self, address: dict[str, Any], text: str, audio: bytes) -> None:
        del audio
        if text:
            self._answer.emit("response.output_text.delta", **address, delta=text)

    def end(self, address: dict[str, Any], words: str) -> None:
        self._answer.emit("response.output_text.done", **address, text=words)
