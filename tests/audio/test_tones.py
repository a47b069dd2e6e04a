"""Keys as tones."""

from __future__ import annotations

import numpy as np
import pytest

from bridge.audio.tones import KEYS, PAUSE_MS, PRESS_MS, tones
from tests.journeys.sound import samples_of_ulaw

PRESS, PAUSE = PRESS_MS * 8, PAUSE_MS * 8


def heard(tone: bytes) -> tuple[int, int]:
    """The two frequencies of a press, as a receiver finds them."""
    power = np.abs(np.fft.rfft(samples_of_ulaw(tone[:PRESS]), 8_000))
    low = 600 + int(np.argmax(power[600:1_050]))
    high = 1_100 + int(np.argmax(power[1_100:1_750]))
    return low, high


@pytest.mark.parametrize(
    ("key", "frequencies"),
    [("1", (697, 1_209)), ("5", (770, 1_336)), ("#", (941, 1_477)), ("D", (941, 1_633))],
)
def test_each_key_has_two(key: str, frequencies: tuple[int, int]) -> None:
    """Within the 1.5 % that a receiver has to accept (Q.24)."""
    assert heard(tones(key)) == pytest.approx(frequencies, rel=0.01)


def test_all_differ() -> None:
    assert len({heard(tones(key)) for key in KEYS}) == len(KEYS) == 16


def test_one_after_the_other_with_a_pause() -> None:
    two = tones("42")

    assert two == tones("4") + tones("2")
    assert len(two) == 2 * (PRESS + PAUSE)
    assert not samples_of_ulaw(two[PRESS : PRESS + PAUSE]).any()


def test_no_other_key() -> None:
    with pytest.raises(KeyError):
        tones("x")
