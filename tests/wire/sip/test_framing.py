"""Streams cut into messages."""

from __future__ import annotations

import pytest

from bridge.wire.sip.faults import Reason
from bridge.wire.sip.framing import Broken, Framer, KeepAlive, Whole
from bridge.wire.sip.reader import Limits, Unreadable, read
from tests.wire.sip.scripts import OFFER, Caller, endpoint

MESSAGE = Caller(endpoint()).request("INVITE", body=OFFER).render()


def test_messages_one_after_the_other() -> None:
    assert Framer().feed(MESSAGE + b"\r\n" + MESSAGE) == [Whole(MESSAGE), Whole(MESSAGE)]


def test_a_byte_at_a_time() -> None:
    framer = Framer()

    frames = [frame for byte in MESSAGE * 2 for frame in framer.feed(bytes([byte]))]

    assert frames == [Whole(MESSAGE), Whole(MESSAGE)]


def test_a_ping_is_answered() -> None:
    """Two empty lines ask, one answers (RFC 5626); halves of a ping wait for the other half."""
    framer = Framer()

    assert framer.feed(b"\r\n\r\n") == [KeepAlive(b"\r\n")]
    assert framer.feed(b"\r\n") == []
    assert framer.feed(b"\r") == []
    assert framer.feed(b"\n" + MESSAGE) == [KeepAlive(), Whole(MESSAGE)]


def test_a_pong_is_nothing() -> None:
    framer = Framer()

    assert framer.feed(b"\r\n") == []
    assert framer.feed(MESSAGE) == [Whole(MESSAGE)]


@pytest.mark.parametrize("length", [b"-5", b"x", b"5\r\nl: 6", b"99999999999"])
def test_a_length_that_is_none_breaks_the_stream(length: bytes) -> None:
    """The head can still be answered; what follows can no longer be told apart."""
    framer = Framer()
    broken = MESSAGE.replace(b"Content-Length: 11", b"Content-Length: " + length)

    frames = framer.feed(MESSAGE + broken + MESSAGE)

    assert frames[0] == Whole(MESSAGE)
    assert isinstance(frames[1], Broken)
    assert len(frames) == 2
    assert framer.feed(MESSAGE) == []
    with pytest.raises(Unreadable) as refused:
        read(frames[1].head)
    assert (refused.value.reason, refused.value.request is not None) == (Reason.LENGTH, True)


def test_a_message_without_length_breaks_the_stream() -> None:
    (broken,) = Framer().feed(MESSAGE.replace(b"Content-Length: 11\r\n", b""))

    assert isinstance(broken, Broken)
    with pytest.raises(Unreadable) as refused:
        read(broken.head)
    assert refused.value.request is not None


@pytest.mark.parametrize("data", [b"x" * 40_000, b"INVITE sip:a\r\nX: " + b"y" * 40_000])
def test_heads_are_bounded(data: bytes) -> None:
    assert Framer().feed(data) == [Broken(Reason.HUGE)]


def test_messages_are_bounded() -> None:
    assert Framer(Limits(message=50)).feed(MESSAGE) == [Broken(Reason.HUGE)]
