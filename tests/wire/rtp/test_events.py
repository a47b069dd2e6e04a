"""Keys, read and written (RFC 4733)."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bridge.audio.tones import KEYS
from bridge.wire.rtp.events import Event, Press, Presses, read, write
from bridge.wire.rtp.faults import RtpError

Came = tuple[int, int, int, str]
"""Key, timestamp, duration, and "m" for a marker, "e" for an end."""

FIVE: list[Came] = [
    (5, 8000, 160, "m"),
    (5, 8000, 320, ""),
    (5, 8000, 480, ""),
    (5, 8000, 640, "e"),
    (5, 8000, 640, "e"),
    (5, 8000, 640, "e"),
]


def pressed(*packets: Came) -> str:
    presses = Presses()
    return "".join(
        presses.take(
            timestamp & 0xFFFFFFFF, Event(key, "e" in flags, 10, duration), marker="m" in flags
        )
        for key, timestamp, duration, flags in packets
    )


def test_the_example_of_the_rfc() -> None:
    """Section 5's keys 9 and 1: 200 ms and 250 ms, in two presses."""
    nine = [(9, 0, duration, "m" * (duration == 400)) for duration in (400, 800, 1200, 1600)]
    one = [(1, 3200, duration, "m" * (duration == 400)) for duration in (400, 800, 1200, 1600)]

    assert pressed(*nine, (9, 0, 1600, "e"), *one, (1, 3200, 2000, "e")) == "91"


@given(st.sets(st.integers(0, 5), max_size=5))
def test_any_packets_may_be_lost(lost: set[int]) -> None:
    """One that comes is enough, and no number of them makes two."""
    assert pressed(*(came for index, came in enumerate(FIVE) if index not in lost)) == "5"


@given(st.permutations(FIVE))
def test_any_order_and_copies(packets: list[Came]) -> None:
    """One press stays one."""
    assert pressed(*packets, *packets) == "5"


def test_the_same_key_twice() -> None:
    """With its own timestamp it is another press, even if the end of the first was lost."""
    again = [(5, 9600, duration, flags) for _, _, duration, flags in FIVE]

    assert pressed(*FIVE, *again) == "55"
    assert pressed(*FIVE[:3], *again) == "55"
    assert pressed(*FIVE[:3], *again[1:]) == "55"


def test_an_old_packet_comes_late() -> None:
    """The press before is over, whatever still comes of it."""
    assert pressed(*FIVE, (6, 9600, 160, "m"), FIVE[-1], (6, 9600, 320, "")) == "56"


def test_a_long_press_has_segments() -> None:
    """Beyond 8 s it goes on with a new timestamp, and is still one (section 2.5.1.3)."""
    first = [(1, 0, duration, "") for duration in range(160, 0xFFFF, 160)]

    assert pressed(*first, (1, 0xFFFF, 160, ""), (1, 0xFFFF, 320, "e")) == "1"


def test_a_telephone_that_moves_its_timestamp() -> None:
    """Each packet has its own, and it is one press all the same."""
    packets = [(7, 160 * n, 160 * (n + 1), "m" * (n == 0)) for n in range(8)]

    assert pressed(*packets) == "7"


def test_the_clock_wraps() -> None:
    """From one press to the next."""
    assert pressed((1, 0xFFFFFF00, 160, "m"), (2, 0x100000100, 160, "m")) == "12"


def test_what_is_no_key() -> None:
    """A flash of the hook, fax tones."""
    assert pressed((16, 0, 160, "m"), (36, 800, 160, "m")) == ""
    assert pressed(*((key, key * 8000, 160, "m") for key in range(16))) == KEYS


def test_a_new_source_has_its_own_clock() -> None:
    """Its first press is a press, however old its timestamp looks."""
    presses = Presses()
    presses.take(100_000, Event(1, True, 10, 800), marker=True)

    presses.forget()

    assert presses.take(0, Event(1, False, 10, 160), marker=True) == "1"


def test_the_payload() -> None:
    """Event, end, reserved bit, volume, duration; what is behind it is padding."""
    assert read(bytes.fromhex("0b8a0320")) == Event(11, True, 10, 800)
    assert write(Event(11, True, 10, 800)) == bytes.fromhex("0b8a0320")
    assert read(bytes.fromhex("014a03200000")) == Event(1, False, 10, 800)
    with pytest.raises(RtpError):
        read(b"\x01\x02\x03")


def test_a_press_of_ours() -> None:
    """Its duration grows, and its end comes three times."""
    events = [read(payload) for payload in Press("#", 560).payloads(160)]

    assert [event.duration for event in events] == [160, 320, 480, 560, 560, 560]
    assert [event.end for event in events] == [False] * 3 + [True] * 3
    assert {event.number for event in events} == {11}


@pytest.mark.parametrize(
    ("digit", "duration"), [("x", 800), ("", 800), ("12", 8), ("1", 0), ("1", 0x10000)]
)
def test_what_cannot_be_pressed(digit: str, duration: int) -> None:
    """Is our own mistake."""
    with pytest.raises(ValueError, match=r"one key|substring"):
        Press(digit, duration)
