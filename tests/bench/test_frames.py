"""WebSocket frames of the load, read by a library and the other way round."""

from __future__ import annotations

import pytest
from websockets.frames import Frame, Opcode
from websockets.protocol import Protocol, Side, State

from bridge.bench import frames
from bridge.bench.frames import (
    FrameReader,
    accepted,
    base64_of,
    close_frame,
    pong_frame,
    text_frame,
)

SIZES = [0, 125, 126, 65_535, 65_536]


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("side", Side)
def test_a_library_reads_our_frames(size: int, side: Side) -> None:
    """Masked for a server, as they are for a client."""
    peer = Protocol(side, state=State.OPEN)
    message = b"x" * size

    peer.receive_data(text_frame(message, masked=side is Side.SERVER, key=b"abcd"))

    [event] = peer.events_received()
    assert isinstance(event, Frame)
    assert bytes(event.data) == message


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("side", Side)
def test_we_read_a_librarys_frames(size: int, side: Side) -> None:
    """A client's are masked with a key."""
    peer = Protocol(side, state=State.OPEN)
    peer.send_text(b"x" * size)

    assert FrameReader().feed(b"".join(peer.data_to_send())) == [(frames.TEXT, b"x" * size)]


def test_bytes_come_in_any_pieces() -> None:
    """One by one as well as many frames at once."""
    sent = text_frame(b"a" * 200, masked=True) + text_frame(b"b") + close_frame(1000)
    whole, slow = FrameReader(), FrameReader()

    at_once = whole.feed(sent)
    one_by_one = [frame for byte in sent for frame in slow.feed(bytes([byte]))]

    assert at_once == one_by_one
    assert [opcode for opcode, _ in at_once] == [frames.TEXT, frames.TEXT, frames.CLOSE]


def test_a_ping_is_answered_with_its_own_message() -> None:
    """As a library sees it."""
    peer = Protocol(Side.CLIENT, state=State.OPEN)
    peer.send_ping(b"here?")
    [(opcode, message)] = FrameReader().feed(b"".join(peer.data_to_send()))

    peer.receive_data(pong_frame(message))

    [pong] = peer.events_received()
    assert opcode == frames.PING
    assert isinstance(pong, Frame)
    assert pong.opcode is Opcode.PONG
    assert bytes(pong.data) == b"here?"


def test_a_field_is_found_without_reading_json() -> None:
    """With spaces and without."""
    assert base64_of(b'{"media":{"payload":"QUI="}}', b'"payload"') == b"QUI="
    assert base64_of(b'{"media": {"payload": "QUI="}}', b'"payload"') == b"QUI="
    assert base64_of(b'{"event":"mark"}', b'"payload"') is None


def test_the_key_of_a_handshake() -> None:
    """Whatever the case of its name."""
    assert accepted(b"GET / HTTP/1.1\r\nsec-WebSocket-key: abc==\r\n\r\n") == "abc=="
    assert accepted(b"GET /healthz HTTP/1.1\r\n\r\n") is None
