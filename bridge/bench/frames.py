"""
As much of WebSocket framing (RFC 6455) as a load needs, and as little as it can do with.

Rule: pure, and cheap: whatever the load spends is missing for what it measures. Messages
are never fragmented, which holds for everybody who takes part.
"""

from __future__ import annotations

import re
import struct

from bridge.wire.framing import apply_mask

__all__ = [
    "CLOSE",
    "PING",
    "TEXT",
    "FrameReader",
    "accepted",
    "base64_of",
    "close_frame",
    "pong_frame",
    "text_frame",
]

TEXT, CLOSE, PING, PONG = 1, 8, 9, 10
KEY = bytes(4)  # a mask that changes nothing: who receives it has the same work with it

_KEY = re.compile(rb"\r\nsec-websocket-key:[ \t]*(\S+)", re.IGNORECASE)


def text_frame(message: bytes, *, masked: bool = False, key: bytes = KEY) -> bytes:
    """A text message as a frame. Clients have to mask, servers must not."""
    head = _head(TEXT, len(message), masked, key)
    return head + (apply_mask(message, key) if masked and key is not KEY else message)


def close_frame(code: int, *, masked: bool = False) -> bytes:
    """Goodbye, with a code."""
    return _head(CLOSE, 2, masked, KEY) + struct.pack(">H", code)


def pong_frame(message: bytes, *, masked: bool = False) -> bytes:
    """The answer to a ping, with the same message."""
    return _head(PONG, len(message), masked, KEY) + message


def accepted(request: bytes) -> str | None:
    """The Sec-WebSocket-Key of a handshake's request; None where it has none."""
    found = _KEY.search(request)
    return found[1].decode("latin-1") if found else None


def base64_of(message: bytes, name: bytes) -> bytes | None:
    """The base64 text of the field `name` (with its quotes); None where it is missing."""
    at = message.find(name)
    if at < 0:
        return None
    begin = message.find(b'"', at + len(name)) + 1
    return message[begin : message.find(b'"', begin)]


def _head(opcode: int, size: int, masked: bool, key: bytes) -> bytes:
    first, mask = 0x80 | opcode, 0x80 if masked else 0
    if size < 126:
        head = struct.pack(">BB", first, mask | size)
    elif size < 65_536:
        head = struct.pack(">BBH", first, mask | 126, size)
    else:
        head = struct.pack(">BBQ", first, mask | 127, size)
    return head + key if masked else head


class FrameReader:
    """Whatever bytes arrive, whole frames come out."""

    __slots__ = ("_rest",)

    def __init__(self) -> None:
        self._rest = b""

    def feed(self, data: bytes) -> list[tuple[int, bytes]]:
        """The frames that are complete now: opcode and unmasked payload."""
        if self._rest:
            data = self._rest + data
        frames = []
        position, size = 0, len(data)
        while size - position >= 2:
            begin, length = position + 2, data[position + 1] & 0x7F
            if length == 126:
                length, begin = int.from_bytes(data[begin : begin + 2], "big"), begin + 2
            elif length == 127:
                length, begin = int.from_bytes(data[begin : begin + 8], "big"), begin + 8
            masked = data[position + 1] & 0x80
            begin += 4 if masked else 0
            end = begin + length
            if end > size or begin > size:
                break
            payload = data[begin:end]
            if masked:
                payload = apply_mask(payload, data[begin - 4 : begin])
            frames.append((data[position] & 0x0F, payload))
            position = end
        self._rest = data[position:]
        return frames
