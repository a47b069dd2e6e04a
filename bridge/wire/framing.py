"""
A WebSocket's frames (RFC 6455), as far as a server may read them by itself, and how both ends
write a text message.

Rule: what is usual is read here, which is a text message in one frame. Any other frame is
handed on as it came, whole, to a complete implementation, which also judges what no client
may send. So nothing is decided here that such an implementation would decide otherwise.
"""

from __future__ import annotations

import binascii
import struct
from collections.abc import Sequence
from functools import lru_cache

from bridge.kernel import compiled

try:
    from websockets.speedups import apply_mask
except ImportError:  # where there is no compiler
    from websockets.utils import apply_mask

__all__ = [
    "LENGTH_IN_TWO",
    "MASKED",
    "FrameReader",
    "apply_mask",
    "audio_frame",
    "audio_text",
    "text_frame",
    "usual_texts",
]

TEXT, CONTINUATION = 0x1, 0x0
FINAL = 0x80
MASKED = 0x80
CONTROL = 0x8  # in an opcode
LENGTH_IN_TWO, LENGTH_IN_EIGHT = 126, 127  # bytes behind the first two

_SHORT = struct.Struct(">BB")
_MEDIUM = struct.Struct(">BBH")
_LONG = struct.Struct(">BBQ")


class FrameReader:
    """Takes what a client sends, in pieces of any size. `max_size` is of a message, in bytes."""

    def __init__(self, max_size: int) -> None:
        self._max_size = max_size
        self._rest = b""
        self._in_fragments = False
        self._broken = False
        self.whole = True
        """
        Whether a frame begins with the next byte, and is no fragment: then what is nothing but
        usual texts need not be fed.
        """

    def feed(self, data: bytes) -> Sequence[str | bytes]:
        """
        What is complete now, in order: a text message in one frame as str, everything else
        as the bytes of its frame. From the first frame on that no client may send, whose
        end is unknown, everything that came.
        """
        if self._rest:
            data = self._rest + data
        found: list[str | bytes] = []
        begin, size = 0, len(data)
        while size - begin >= 2 and not self._broken:
            body, length = _measure(data, begin)
            if not 0 <= length <= self._max_size:
                self._broken = True
            elif body + length <= size:
                found.append(self._read(data, begin, body, body + length))
                begin = body + length
            else:
                break
        if self._broken and begin < size:
            found.append(data[begin:])
            begin = size
        self._rest = data[begin:]
        self.whole = not (self._rest or self._in_fragments or self._broken)
        return found

    def _read(self, data: bytes, begin: int, body: int, end: int) -> str | bytes:
        first = data[begin]
        if first == FINAL | TEXT and not self._in_fragments:
            try:
                return apply_mask(data[body:end], data[body - 4 : body]).decode()
            except UnicodeDecodeError:
                pass
        elif not first & CONTROL:
            self._in_fragments = not first & FINAL
        return data[begin:end]


def _usual_texts_here(data: bytes, most: int, masked: bool) -> tuple[str, ...] | None:
    """`usual_texts` in Python."""
    texts: list[str] = []
    key, begin, size = 4 if masked else 0, 0, len(data)
    while begin + 2 <= size and data[begin] == FINAL | TEXT:
        length, head = data[begin + 1] - (MASKED if masked else 0), 2
        if length == LENGTH_IN_TWO:
            length, head = int.from_bytes(data[begin + 2 : begin + 4]), 4
        elif length >= LENGTH_IN_EIGHT:
            return None
        body = begin + head + key
        if not 0 <= length <= most or body + length > size:
            return None
        text = data[body : body + length]
        text = apply_mask(text, data[body - 4 : body]) if masked else text
        if not text.isascii():
            return None
        texts.append(text.decode())
        begin = body + length
    return tuple(texts) if texts and begin == size else None


usual_texts = compiled("usual_texts", _usual_texts_here)
"""
The texts of messages in one frame each, of at most 65,535 bytes and at most so many, masked (a
client's) or not (a server's), if that is all there is and all of it is ASCII; None for whatever
else it is.
"""


def text_frame(text: bytes, mask: bytes = b"") -> bytes:
    """A text message, UTF-8, in one frame: a client's under the four bytes of `mask`."""
    if not mask:
        return _head(len(text), 0) + text
    return _head(len(text), MASKED) + mask + apply_mask(text, mask)


def audio_text(before: bytes, audio: bytes, behind: bytes) -> bytes:
    """A text with audio: what comes before its base64, the audio, what comes behind."""
    return before + binascii.b2a_base64(audio, newline=False) + behind


def _audio_frame_here(before: bytes, audio: bytes, behind: bytes, mask: bytes) -> bytes:
    """`audio_frame` in Python."""
    return text_frame(audio_text(before, audio, behind), mask)


audio_frame = compiled("audio_frame", _audio_frame_here)
"""The frame of an `audio_text`, and its mask."""


@lru_cache(maxsize=1024)
def _head(size: int, masked: int) -> bytes:
    """What comes before a text message of so many bytes, and its mask. `masked`: MASKED or 0."""
    if size < LENGTH_IN_TWO:
        return _SHORT.pack(FINAL | TEXT, masked | size)
    if size < 0x1_0000:
        return _MEDIUM.pack(FINAL | TEXT, masked | LENGTH_IN_TWO, size)
    return _LONG.pack(FINAL | TEXT, masked | LENGTH_IN_EIGHT, size)


def _measure(data: bytes, begin: int) -> tuple[int, int]:
    """Where a frame's body begins, and how long it is; less than nothing if it is not masked."""
    length = data[begin + 1] - MASKED
    if length < LENGTH_IN_TWO:
        return begin + 6, length
    more = 2 if length == LENGTH_IN_TWO else 8
    # As long as it is not all there, the body lies beyond what is there.
    return begin + 6 + more, int.from_bytes(data[begin + 2 : begin + 2 + more])
