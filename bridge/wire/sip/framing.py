"""
Messages in a stream (RFC 3261 section 18.3, RFC 5626 section 3.5.1), bounded.

Rule: in a stream only Content-Length says where a message ends, so after one that does not
say it clearly nothing can be read any more, and the connection is to be closed.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from bridge.wire.sip.faults import Reason, SipProtocolError
from bridge.wire.sip.messages import full_name
from bridge.wire.sip.reader import Limits, content_length

__all__ = ["Broken", "Frame", "Framer", "KeepAlive", "Whole"]

PONG = b"\r\n"
_PING = b"\r\n\r\n"
_HEAD = 32_768  # bytes that a start line and its headers may take


@dataclass(frozen=True, slots=True)
class Whole:
    """The bytes of one message, for `reader.read`."""

    data: bytes = field(repr=False)


@dataclass(frozen=True, slots=True)
class KeepAlive:
    """The peer asks whether the connection lives: write `answer`."""

    answer: bytes = PONG


@dataclass(frozen=True, slots=True)
class Broken:
    """
    The last frame: close the connection. `head` may be a request to which an answer is
    possible, and goes where Whole goes.
    """

    reason: Reason
    head: bytes = field(default=b"", repr=False)


Frame = Whole | KeepAlive | Broken


class Framer:
    """One connection's bytes, in pieces of any size."""

    def __init__(self, limits: Limits | None = None) -> None:
        self._limits = limits or Limits()
        self._buffer = bytearray()
        self._searched = 0
        self._size: int | None = None  # of the message at the front, once its head is there
        self._broken = False

    def feed(self, data: bytes) -> list[Frame]:
        """What is complete now. Nothing after Broken."""
        frames: list[Frame] = []
        if self._broken:
            return frames
        self._buffer += data
        while (frame := self._next()) is not None:
            frames.append(frame)
            if isinstance(frame, Broken):
                break
        return frames

    def _next(self) -> Frame | None:
        if self._size is None:
            if not self._at_message():
                return self._ping()
            measured = self._measure()
            if isinstance(measured, Broken):
                return measured
            self._size = measured
        if self._size is None or len(self._buffer) < self._size:
            return None
        whole = Whole(bytes(self._buffer[: self._size]))
        del self._buffer[: self._size]
        self._size, self._searched = None, 0
        return whole

    def _ping(self) -> KeepAlive | None:
        if not self._buffer.startswith(_PING):
            return None
        del self._buffer[: len(_PING)]
        return KeepAlive()

    def _at_message(self) -> bool:
        """Whether a message begins here. A ping is left where it is, and so is half of one."""
        start = bytes(self._buffer[: len(_PING)])
        if start and not _PING.startswith(start):
            del self._buffer[: len(start) - len(start.lstrip(b"\r\n"))]
        return bool(self._buffer) and self._buffer[0] not in _PING

    def _measure(self) -> Broken | int | None:
        """The size of the message that begins here; None: its head is not complete."""
        end = self._buffer.find(b"\r\n\r\n", max(0, self._searched - 3))
        self._searched = len(self._buffer)
        if (end if end >= 0 else len(self._buffer)) > _HEAD:
            return self._break(Reason.HUGE)
        if end < 0:
            return None
        head = bytes(self._buffer[: end + 4])
        try:
            length = content_length(list(_lengths(head)))
        except SipProtocolError as fault:
            return self._break(fault.reason, head)
        if length is None:
            return self._break(Reason.LENGTH, _faulty(head))
        if len(head) + length > self._limits.message:
            return self._break(Reason.HUGE)
        return len(head) + length

    def _break(self, reason: Reason, head: bytes = b"") -> Broken:
        self._broken = True
        self._buffer.clear()
        return Broken(reason, head)


def _lengths(head: bytes) -> list[str]:
    lines = head.replace(b"\r\n ", b" ").replace(b"\r\n\t", b" ").decode("latin-1").split("\r\n")
    pairs = (line.partition(":") for line in lines[1:])
    return [
        value.strip(" \t")
        for name, _, value in pairs
        if full_name(name.strip()) == "Content-Length"
    ]


def _faulty(head: bytes) -> bytes:
    """A head that the reader answers as what it is in a stream: malformed."""
    return head[:-2] + b"Content-Length: none\r\n\r\n"
