"""Audio that waits to be sent, and its marks."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from bridge.wire.rtp.speech import MAX_QUEUED, Speech


@given(st.lists(st.binary(max_size=500), max_size=20), st.integers(1, 400))
def test_what_went_in_comes_out(chunks: list[bytes], size: int) -> None:
    """In any size, in order, and all of it."""
    speech = Speech()
    for chunk in chunks:
        speech.put(chunk)

    taken = []
    while speech:
        taken.append(speech.take(size, 0.0))

    assert b"".join(taken) == b"".join(chunks)
    assert all(len(piece) == size for piece in taken[:-1])


def test_a_mark_is_reached_behind_its_last_sample() -> None:
    """By the clock, not when its packet leaves; those on silence at once."""
    speech = Speech()
    speech.mark("first")
    speech.put(b"a" * 240)
    speech.mark("second")

    speech.take(160, 10.000)
    assert speech.reached(10.000) == ["first"]
    speech.take(160, 10.020)

    assert speech.reached(10.029) == []
    assert speech.reached(10.030) == ["second"]


def test_the_other_end_hears_later() -> None:
    """By as much as it was told to reckon with."""
    speech = Speech(playout_ms=100)
    speech.put(b"a" * 160)
    speech.mark("all")
    speech.take(160, 10.000)

    assert speech.reached(10.119) == []
    assert speech.reached(10.120) == ["all"]


def test_clearing_returns_the_marks() -> None:
    """Those behind what has just left too, in order, and only once."""
    speech = Speech()
    speech.put(b"a" * 160)
    speech.mark("leaving")
    speech.put(b"b" * 4000)
    speech.mark("queued")
    speech.take(160, 10.000)

    assert speech.clear() == ["leaving", "queued"]
    assert speech.reached(20.0) == []
    assert speech.take(160, 10.020) == b""
    assert not speech


def test_what_was_sent_by_the_clock() -> None:
    """Sample by sample between two packets."""
    speech = Speech()
    assert speech.left(5.0) == 0
    speech.put(b"a" * 480)
    speech.take(160, 10.000)
    speech.take(160, 10.020)

    assert speech.left(10.020) == 160
    assert speech.left(10.030) == 240
    assert speech.left(11.000) == 320


def test_ten_minutes_have_room() -> None:
    """What is beyond them is dropped and counted."""
    speech = Speech()
    speech.put(b"a" * (MAX_QUEUED - 10))

    speech.put(b"b" * 30)
    speech.put(b"c")

    assert speech.queued == MAX_QUEUED
    assert speech.dropped == 21
