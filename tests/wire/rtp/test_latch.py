"""Whose packets are the other end's."""

from __future__ import annotations

from bridge.wire.rtp.latch import Latch
from bridge.wire.rtp.packet import Packet
from bridge.wire.rtp.payloads import Address
from tests.wire.rtp.line import PHONE, SSRC, STRANGER

OTHER_PORT = (PHONE[0], PHONE[1] + 2)
PRIVATE = ("10.0.0.5", 4000)


def heard(
    latch: Latch, source: Address, *numbers: int, now: float = 10.0, ssrc: int = SSRC
) -> list[bool]:
    return [
        latch.admits(source, Packet(0, False, number & 0xFFFF, number * 160, ssrc, b""), now)
        for number in numbers
    ]


def test_the_signalled_address_is_heard_at_once() -> None:
    """And packets go there before anything came."""
    latch = Latch(PHONE)
    assert latch.target == PHONE

    assert heard(latch, PHONE, 1) == [True]


def test_a_caller_behind_nat_is_learnt() -> None:
    """After three packets in a row, and our packets go where these come from."""
    latch = Latch(PRIVATE)

    assert heard(latch, STRANGER, 65_535, 65_536, 65_537, 65_538) == [False, False, True, True]
    assert latch.target == STRANGER


def test_noise_is_not_learnt() -> None:
    """Three packets that do not follow each other are nobody."""
    latch = Latch(PRIVATE)

    assert heard(latch, STRANGER, 1, 2, 9, 11, 12, 20) == [False] * 6


def test_a_stranger_does_not_take_over() -> None:
    """While the caller is heard, nor when it is silent, unless it goes on with its stream."""
    latch = Latch(PHONE)
    heard(latch, PHONE, 1, 2, 3)

    assert not any(heard(latch, STRANGER, 4, 5, 6, 7))
    assert not any(heard(latch, STRANGER, 4, 5, 6, 7, now=20.0, ssrc=99))
    assert not any(heard(latch, STRANGER, 9000, 9001, 9002, 9003, now=20.0))
    assert heard(latch, PHONE, 4, now=20.0) == [True]


def test_a_network_path_may_change() -> None:
    """The known one is silent, and its stream goes on from elsewhere."""
    latch = Latch(PHONE)
    heard(latch, PHONE, 1, 2, 3)

    assert heard(latch, STRANGER, 110, 111, 112, now=12.5) == [False, False, True]
    assert latch.target == STRANGER


def test_the_same_host_may_use_another_port() -> None:
    """With a new stream too, when the old one is silent."""
    latch = Latch(PHONE)
    heard(latch, PHONE, 1)

    assert not any(heard(latch, OTHER_PORT, 1, 2, 3, ssrc=5))
    assert heard(latch, OTHER_PORT, 7, 8, 9, now=13.0, ssrc=5)[-1]


def test_the_signalled_address_ousts_a_learnt_one() -> None:
    """Whoever was quicker than the caller loses the call when the caller speaks."""
    latch = Latch(PHONE)
    heard(latch, STRANGER, 1, 2, 3)
    assert latch.address == STRANGER

    assert heard(latch, PHONE, 500) == [True]
    assert not any(heard(latch, STRANGER, 4, 5, 6))


def test_signalling_moves_the_call() -> None:
    """The old address is heard until the new one speaks, and no longer."""
    latch = Latch(PHONE)
    heard(latch, PHONE, 1)

    latch.expect(OTHER_PORT)

    assert latch.target == OTHER_PORT
    assert heard(latch, PHONE, 2) == [True]
    assert heard(latch, OTHER_PORT, 1, ssrc=9) == [True]
    assert heard(latch, PHONE, 3) == [False]


def test_the_same_words_again_change_nothing() -> None:
    """A refresh of the session leaves a learnt address alone."""
    latch = Latch(PRIVATE)
    heard(latch, STRANGER, 1, 2, 3)

    latch.expect(PRIVATE)

    assert latch.target == STRANGER


def test_learning_can_be_forbidden() -> None:
    """Then signalling alone says who is heard."""
    latch = Latch(PHONE, learns=False)

    assert not any(heard(latch, STRANGER, 1, 2, 3, 4))
    assert heard(latch, PHONE, 1) == [True]
