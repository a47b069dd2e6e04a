"""A reader of the server's messages, and what it makes of them."""

from __future__ import annotations

import base64
import itertools
import json
from typing import Any

from bridge.ports.server_events import ServerEvent
from bridge.wire.gemini.calls import ToolCalls
from bridge.wire.gemini.reader import Reader
from bridge.wire.gemini.turn import TurnState
from tests.fakes.gemini_rules import check_server_message

__all__ = ["PCM", "Told", "voice"]

PCM = b"\x01\x00" * 240  # 10 ms


class Told:
    """A reader, and what it made of the messages so far."""

    def __init__(self) -> None:
        numbers = itertools.count(1)
        self.turn = TurnState(numbers)
        self.calls = ToolCalls(numbers)
        self._reader = Reader(self.turn, self.calls)

    def read(self, **message: Any) -> list[ServerEvent]:
        check_server_message(message)
        return self.read_raw(json.dumps(message).encode())

    def content(self, **content: Any) -> list[ServerEvent]:
        return self.read(serverContent=content)

    def read_raw(self, frame: str | bytes) -> list[ServerEvent]:
        return list(self._reader.read(frame))


def voice(pcm: bytes = PCM) -> dict[str, Any]:
    data = {"mimeType": "audio/pcm;rate=24000", "data": base64.b64encode(pcm).decode()}
    return {"parts": [{"inlineData": data}]}
