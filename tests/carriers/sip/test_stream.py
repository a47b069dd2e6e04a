"""One connection, by its bytes."""

from __future__ import annotations

import asyncio
from typing import Any

from bridge.carriers.sip import stream
from bridge.carriers.sip.stream import Stream
from bridge.wire.sip.places import Place, Transport
from tests.carriers.sip.phone import until
from tests.wire.sip.scripts import Caller, endpoint

MESSAGE = Caller(endpoint()).request("OPTIONS").render()


class Wire(asyncio.Transport):
    """A transport without a socket."""

    def __init__(self) -> None:
        super().__init__({"peername": ("192.0.2.10", 40_000)})
        self.written = b""
        self.unsent = 0
        self.closed = ""

    def write(self, data: Any) -> None:
        self.written += data

    def get_write_buffer_size(self) -> int:
        return self.unsent

    def is_closing(self) -> bool:
        return bool(self.closed)

    def close(self) -> None:
        self.closed = self.closed or "closed"

    def abort(self) -> None:
        self.closed = "aborted"


class Owner:
    def __init__(self, *, room: bool = True) -> None:
        self.room = room
        self.messages: list[tuple[bytes, Place]] = []
        self.closed: list[Stream] = []

    def stream_opened(self, stream: Stream) -> bool:
        return self.room

    def stream_closed(self, stream: Stream) -> None:
        self.closed.append(stream)

    def came(self, data: bytes, source: Place) -> None:
        self.messages.append((data, source))


def opened(owner: Owner, **options: float) -> tuple[Stream, Wire]:
    one, wire = Stream(Transport.TCP, 7, owner, ours=False, **options), Wire()
    one.connection_made(wire)
    return one, wire


async def test_messages_come_whole() -> None:
    """However they are cut, and with the place they came from."""
    owner = Owner()
    one, _ = opened(owner)
    for number in range(0, len(MESSAGE), 50):
        one.data_received(MESSAGE[number : number + 50])

    place = Place(Transport.TCP, "192.0.2.10", 40_000, 7)

    assert [(source, data[:7]) for data, source in owner.messages] == [(place, b"OPTIONS")]

    one.connection_lost(None)

    assert owner.closed == [one]
    assert not one.write(b"late")


async def test_a_ping_is_answered() -> None:
    """RFC 5626."""
    one, wire = opened(Owner())
    one.data_received(b"\r\n\r\n")

    assert wire.written == b"\r\n"

    one.connection_lost(None)


async def test_who_breaks_the_stream_is_answered_and_cut_off() -> None:
    """Nothing can be read behind a message that does not say where it ends."""
    owner = Owner()
    one, wire = opened(owner)
    one.data_received(MESSAGE.replace(b"Content-Length: 0\r\n", b""))

    assert len(owner.messages) == 1
    assert wire.closed == "closed"

    one.connection_lost(None)


async def test_who_has_no_room_is_cut_off() -> None:
    one, wire = opened(Owner(room=False))

    assert wire.closed == "aborted"

    one.connection_lost(None)


async def test_who_says_nothing_is_cut_off() -> None:
    """A connection is there to say something."""
    one, wire = opened(Owner(), first_seconds=0.01)
    one.data_received(MESSAGE[:50])
    await until(lambda: wire.closed)

    assert wire.closed == "aborted"

    one.connection_lost(None)


async def test_who_does_not_read_is_cut_off() -> None:
    one, wire = opened(Owner())
    wire.unsent = stream.MAX_UNSENT_SIZE + 1

    assert not one.write(MESSAGE)
    assert wire.closed == "aborted"

    one.connection_lost(None)
