"""Frames of one size out of any bytes."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bridge.audio.frames import Framer


@settings(deadline=None)
@given(pieces=st.lists(st.binary(max_size=50)), size=st.integers(1, 40))
def test_frames_are_whole_and_nothing_is_lost(pieces: list[bytes], size: int) -> None:
    """All frames have the size, and with the rest they are what came in."""
    framer = Framer(size)

    frames = [frame for piece in pieces for frame in framer.feed(piece)]
    last = framer.flush(b"\xff")

    whole = b"".join(pieces)
    assert {len(frame) for frame in frames} <= {size}
    assert b"".join(frames) == whole[: len(whole) // size * size]
    if len(whole) % size:
        assert last == whole[len(frames) * size :].ljust(size, b"\xff")
    else:
        assert last is None


def test_frame_comes_as_soon_as_it_is_complete() -> None:
    """Nothing waits for the byte behind a frame."""
    framer = Framer(4)

    assert framer.feed(b"abc") == []
    assert framer.feed(b"d") == [b"abcd"]
    assert framer.feed(b"efghijklm") == [b"efgh", b"ijkl"]


def test_frame_of_the_right_size_is_handed_on() -> None:
    """A carrier's frame that fits is not copied."""
    frame = b"160 bytes as a rule"
    framer = Framer(len(frame))

    (same,) = framer.feed(frame)

    assert same is frame


def test_flush_repeats_a_sample_of_silence() -> None:
    """Padding of several bytes fills the frame, and then there is nothing more."""
    framer = Framer(7)
    framer.feed(b"ab")

    assert framer.flush(b"\x01\x02") == b"ab\x01\x02\x01\x02\x01"
    assert framer.flush(b"\x01\x02") is None


def test_reset_forgets_the_rest() -> None:
    """After a clear the old rest does not lead the new sound."""
    framer = Framer(3)
    framer.feed(b"ab")

    framer.reset()

    assert framer.feed(b"cde") == [b"cde"]


def test_sizes_and_padding_of_nothing_are_refused() -> None:
    """Neither makes a frame."""
    with pytest.raises(ValueError, match="0 bytes"):
        Framer(0)
    with pytest.raises(ValueError, match="nothing"):
        Framer(1).flush(b"")
