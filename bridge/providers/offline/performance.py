"""
One response as a sequence of events, as a good provider sends it.

Rule: pure. Nothing is sent before it is asked for, so that a response may be dropped in
the middle.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

from bridge.audio.formats import AudioFormat
from bridge.ports import server_events as event
from bridge.ports.server_events import ResponseStatus, ServerEvent
from bridge.providers.offline.dialogue import Use
from bridge.providers.offline.voice import Piece

__all__ = ["Call", "Performance"]

DELTA_MS = 100


@dataclass(frozen=True, slots=True)
class Call:
    """A tool call with its ids."""

    call_id: str
    item_id: str
    use: Use


@dataclass(frozen=True, slots=True)
class Performance:
    """What one response will be: a message item if there is something to say, then calls."""

    response_id: str
    item_id: str
    pieces: Sequence[Piece] = field(repr=False)
    calls: Sequence[Call]
    format: AudioFormat
    """In which the pieces sound."""
    aloud: bool = True
    """False: as text only."""

    @property
    def text(self) -> str:
        return "".join(piece.text for piece in self.pieces)

    @property
    def duration_ms(self) -> int:
        return int(self.format.duration_ms(sum(len(piece.audio) for piece in self.pieces)))

    def events(self) -> Iterator[ServerEvent]:
        """Everything from ResponseCreated to ResponseDone."""
        yield event.ResponseCreated(self.response_id, {"id": self.response_id})
        index = 0
        if self.pieces:
            yield from self._message()
            index = 1
        for number, call in enumerate(self.calls, index):
            yield from self._call(call, number)
        yield event.ResponseDone(self.response_id, ResponseStatus.COMPLETED)

    def heard(self, heard_ms: int) -> str:
        """The words of which the caller heard at least half when they heard so much."""
        kept, position = "", 0.0
        for piece in self.pieces:
            length = self.format.duration_ms(len(piece.audio))
            if position + length / 2 > heard_ms:
                break
            kept += piece.text
            position += length
        return kept

    def _message(self) -> Iterator[ServerEvent]:
        item = {"id": self.item_id, "type": "message", "role": "assistant"}
        yield event.OutputItemAdded(self.response_id, item)
        yield from self._voice() if self.aloud else self._text()
        yield event.OutputItemDone(self.response_id, item)

    def _voice(self) -> Iterator[ServerEvent]:
        ids = (self.response_id, 0, 0)
        size = self.format.size(DELTA_MS)
        for piece in self.pieces:
            if piece.text:
                yield event.TranscriptDelta(self.item_id, piece.text, *ids)
            for start in range(0, len(piece.audio), size):
                yield event.AudioDelta(self.item_id, piece.audio[start : start + size], *ids)
        yield event.TranscriptDone(self.item_id, self.text, *ids)
        yield event.AudioDone(self.item_id, *ids)

    def _text(self) -> Iterator[ServerEvent]:
        for piece in self.pieces:
            yield event.TextDelta(self.item_id, piece.text, self.response_id)
        yield event.TextDone(self.item_id, self.text, self.response_id)

    def _call(self, call: Call, index: int) -> Iterator[ServerEvent]:
        written = json.dumps(call.use.arguments)
        item: dict[str, Any] = {
            "id": call.item_id,
            "type": "function_call",
            "call_id": call.call_id,
            "name": call.use.name,
        }
        ids = (self.response_id, call.item_id, index)
        yield event.OutputItemAdded(self.response_id, item, index)
        yield event.FunctionCallDelta(call.call_id, written, *ids)
        yield event.FunctionCallDone(call.call_id, call.use.name, written, *ids)
        yield event.OutputItemDone(self.response_id, {**item, "arguments": written}, index)
