"""
The WebSocket frames (RFC 6455) that a call is made of: whole messages in one frame each.

Rule: pure, and as cheap as it can be, for they come and go by the dozen in a second of each
call. What else a peer may send is left, byte for byte, to a parser that knows it all; here
is known only where its frames end.
"""

from __future__ import annotations

import os
import struct
from collections.abc import Iterator
from itertools import chain

from websockets.frames import Frame, Opcode

from bridge.wire.framing import MASKED

__all__ = ["BINARY", "OTHER", "TEXT", "Fragments", "Splitter", "new_mask"]

OTHER, TEXT, BINARY = 0, 1, 2

MASKS_AT_ONCE = 256  # keys; each draw from the system's random numbers is a system call

_FIN = 0x80
_CONTROL = 0x08  # opcodes from here on interrupt a message and are no part of it
_WHOLE = {_FIN | TEXT: TEXT, _FIN | BINARY: BINARY}


def _draw() -> Iterator[tuple[bytes, ...]]:
    return struct.iter_unpack("4s", os.urandom(4 * MASKS_AT_ONCE))


new_mask = chain.from_iterable(chain.from_iterable(iter(_draw, None))).__next__
"""A key of four bytes that nobody can foresee, as 10.3 wants it."""


class Splitter:
    """
    Takes the whole messages out of what a server sends.

    A message is taken if it is in one frame without a mask or an extension, not longer
    than `max_size` bytes, and here to its end. All else is the other parser's.
    """

    __slots__ = ("_begun", "_in_message", "_left", "_max_size")

    def __init__(self, max_size: int) -> None:
        self._max_size = max_size
        self._begun = b""  # a header that is not here to its end
        self._left = 0  # bytes of the other parser's last frame that are still to come
        self._in_message = False  # the other parser waits for a fragment

    @property
    def whole(self) -> bool:
        """
        Whether a frame begins with the next byte, and is no fragment: then what is nothing but
        usual texts need not be fed.
        """
        return not (self._begun or self._left or self._in_message)

    def feed(self, data: bytes) -> list[tuple[int, bytes]]:
        """What these bytes complete, in order: a TEXT, a BINARY, or OTHER bytes as they came."""
        if self._begun:
            data, self._begun = self._begun + data, b""
        size = len(data)
        position = min(self._left, size)
        self._left -= position
        pieces = [(OTHER, data[:position])] if position else []
        while position < size:
            payload, end = _bounds(data, position, size)
            if end < 0:
                self._begun = data[position:]
                break
            first = data[position]
            kind = _WHOLE.get(first, OTHER)
            if kind and end <= size and self._takes(data[position + 1], end - payload):
                pieces.append((kind, data[payload:end]))
            else:
                pieces.append((OTHER, data[position:end]))
                self._leave(first, max(end - size, 0))
            position = end
        return pieces

    def _takes(self, second: int, size: int) -> bool:
        return second < MASKED and size <= self._max_size and not self._in_message

    def _leave(self, first: int, left: int) -> None:
        self._left = left
        if not first & _CONTROL:
            self._in_message = first < _FIN


class Fragments:
    """Puts together what the other parser finds: messages that are not in one frame, as a rule."""

    def __init__(self) -> None:
        self._parts: list[bytes] = []
        self._binary = False

    def add(self, frame: Frame) -> tuple[bytes, bool] | None:
        """The message that is whole with this frame, and whether it is binary."""
        if frame.opcode is not Opcode.CONT:
            self._binary = frame.opcode is Opcode.BINARY
        self._parts.append(bytes(frame.data))
        if not frame.fin:
            return None
        data = b"".join(self._parts)
        self._parts.clear()
        return data, self._binary


def _bounds(data: bytes, begin: int, size: int) -> tuple[int, int]:
    """Where an unmasked frame's payload begins and where it ends; -1 with half a header."""
    if size - begin < 2:
        return -1, -1
    length = data[begin + 1] & 0x7F
    payload = begin + (2 if length < 126 else 4 if length == 126 else 10)
    if payload > size:
        return -1, -1
    if length >= 126:
        length = int.from_bytes(data[payload - (2 if length == 126 else 8) : payload], "big")
    return payload, payload + length
