"""
One session's interpreter between OpenAI's words and ours.

Rule: it remembers what a translation needs (names of calls, how much of each item's audio
came, ids of our events) and decides nothing else.
"""

from __future__ import annotations

import itertools
import json
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from bridge.audio.formats import AudioFormat
from bridge.ports import client_events as client
from bridge.ports import server_events as event
from bridge.ports.client_events import ClientEvent
from bridge.ports.conversation import HistoryItem
from bridge.ports.model import ToolResponse
from bridge.ports.server_events import Disconnected, ServerEvent
from bridge.wire.framing import audio_text
from bridge.wire.openai import client as frames
from bridge.wire.openai.faults import CAUSES, read_close
from bridge.wire.openai.history import write_answer, write_history
from bridge.wire.openai.server import BETA_NAMES, ServerReader

__all__ = ["OpenAITranslator"]

_APPEND_HEAD = b'{"type":"input_audio_buffer.append","audio":"'
_APPEND_TAIL = b'"}'

MAX_ITEMS = 256  # of the model's audio whose length is remembered; a truncation comes at once


class OpenAITranslator:
    """The translator of one session whose model speaks in `output_format`."""

    envelope = _APPEND_HEAD, _APPEND_TAIL

    def __init__(self, output_format: AudioFormat, names: Mapping[str, str] = BETA_NAMES) -> None:
        self._output_format = output_format
        self._reader = ServerReader(names)
        self._numbers = itertools.count(1)
        self._received: dict[str, int] = {}  # bytes of audio by item
        self._whole: set[str] = set()  # items whose audio is complete
        self._causes: set[str] = set()  # of the end that is near

    @property
    def spoken(self) -> bool:
        """Whether the model's voice was heard, so that it is fixed."""
        return bool(self._received)

    def read(self, message: str | bytes) -> list[ServerEvent]:
        events = self._reader.read(message)
        for happened in events:
            match happened:
                case event.AudioDelta():
                    item_id = happened.item_id
                    if item_id not in self._received:
                        self._expect(item_id)
                    self._received[item_id] += len(happened.delta)
                case event.AudioDone(item_id):
                    self._whole.add(item_id)
                case event.Error(error):
                    self._causes |= {error.code, error.type} & CAUSES
                case _:
                    pass
        return events

    def read_close(self, code: int, reason: str) -> Disconnected:
        return read_close(code, reason, frozenset(self._causes))

    def write(self, happening: ClientEvent) -> list[str]:
        match happening:
            case client.AudioDelta(audio):
                return [audio_text(_APPEND_HEAD, audio, _APPEND_TAIL).decode()]
            case client.ItemTruncate(item_id, heard_ms):
                return self._truncate(item_id, heard_ms)
            case _:
                return [self._write(frame)[1] for frame in frames.write_event(happening)]

    def write_answers(self, responses: Sequence[ToolResponse]) -> list[str]:
        return [self._write(frames.create_item(write_answer(answer)))[1] for answer in responses]

    def write_update(self, session: Mapping[str, Any]) -> tuple[str, str]:
        """The id of a `session.update`, by which its error may be known, and the message."""
        return self._write(frames.update(dict(session)))

    def write_history(self, history: Iterable[HistoryItem]) -> tuple[str, list[str]]:
        """The id of the last item ("" if there is none), and the messages that tell them all."""
        items = write_history(history)
        last = items[-1]["id"] if items else ""
        return last, [self._write(frames.create_item(item))[1] for item in items]

    def _write(self, frame: Mapping[str, Any]) -> tuple[str, str]:
        event_id = f"ours_{next(self._numbers)}"
        words = {"event_id": event_id, **frame}
        return event_id, json.dumps(words, separators=(",", ":"))

    def _expect(self, item_id: str) -> None:
        if len(self._received) >= MAX_ITEMS:
            oldest = next(iter(self._received))
            del self._received[oldest]
            self._whole.discard(oldest)
        self._received[item_id] = 0

    def _truncate(self, item_id: str, heard_ms: int) -> list[str]:
        """Nothing for an item that this session did not speak, or that was heard to its end."""
        size = self._received.get(item_id)
        if size is None:
            return []
        received_ms = int(self._output_format.duration_ms(size))
        if heard_ms >= received_ms and item_id in self._whole:
            return []
        return [self._write(frames.truncate(item_id, min(heard_ms, received_ms)))[1]]
