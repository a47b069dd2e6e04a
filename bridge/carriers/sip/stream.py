"""
One TCP or TLS connection with SIP in it.

Rule: what a peer may leave here is bounded. Who says nothing whole for FIRST_SECONDS, or does
not read what it is sent, is cut off.
"""

from __future__ import annotations

import asyncio
import socket
from typing import Protocol, cast

from bridge.wire.sip.framing import Broken, Framer, KeepAlive, Whole
from bridge.wire.sip.places import Place, Transport

__all__ = ["Stream", "StreamOwner"]

FIRST_SECONDS = 30.0
MAX_UNSENT_SIZE = 256 * 1024  # bytes


class StreamOwner(Protocol):
    """Whoever wants to know what happens on streams."""

    def stream_opened(self, stream: Stream) -> bool:
        """False: there is no room for it."""

    def stream_closed(self, stream: Stream) -> None: ...

    def came(self, data: bytes, source: Place) -> None: ...


class Stream(asyncio.Protocol):
    """`number` is its own among all streams. `ours`: we opened it."""

    def __init__(
        self,
        kind: Transport,
        number: int,
        owner: StreamOwner,
        *,
        ours: bool,
        first_seconds: float = FIRST_SECONDS,
    ) -> None:
        self._first_seconds = first_seconds
        self._owner = owner
        self._framer = Framer()
        self._transport: asyncio.Transport | None = None
        self._patience: asyncio.TimerHandle | None = None
        self.ours = ours
        self.place = Place(kind, "", 0, number)
        """Whom it leads to."""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.Transport", transport)  # uvloop's is no subclass
        host, port = (transport.get_extra_info("peername") or ("", 0))[:2]
        self.place = Place(self.place.transport, host, port, self.place.connection)
        opened = transport.get_extra_info("socket")
        if opened is not None:
            opened.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
        if not self._owner.stream_opened(self):
            self.abort()
        elif not self.ours:
            loop = asyncio.get_running_loop()
            self._patience = loop.call_later(self._first_seconds, self.abort)

    def data_received(self, data: bytes) -> None:
        for frame in self._framer.feed(data):
            match frame:
                case Whole(message):
                    self._wait_no_longer()
                    self._owner.came(message, self.place)
                case KeepAlive(answer):
                    self.write(answer)
                case Broken(_, head):
                    if head:
                        self._owner.came(head, self.place)
                    self.close()

    def connection_lost(self, exc: Exception | None) -> None:
        self._wait_no_longer()
        self._transport = None
        self._owner.stream_closed(self)

    def write(self, data: bytes) -> bool:
        """False: it is over, and this will not arrive."""
        transport = self._transport
        if transport is None or transport.is_closing():
            return False
        if transport.get_write_buffer_size() > MAX_UNSENT_SIZE:
            transport.abort()
            return False
        transport.write(data)
        return True

    def close(self) -> None:
        """Once all that was written is sent."""
        if self._transport is not None:
            self._transport.close()

    def abort(self) -> None:
        if self._transport is not None:
            self._transport.abort()

    def _wait_no_longer(self) -> None:
        if self._patience is not None:
            self._patience.cancel()
            self._patience = None
