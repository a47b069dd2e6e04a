from __future__ import annotations

import pytest

from bridge.providers.offline.spectra import Look, Spectra
from tests.providers.offline import sounds


def looks(sound: sounds.Sound) -> list[Look]:
    spectra = Spectra()
    data = sounds.audio(sound)
    return [spectra.look(frame) for frame in sounds.frames(data) if len(frame) == 320]


@pytest.mark.parametrize("level_db", [-10.0, -30.0, -50.0])
def test_level_is_that_of_full_scale(level_db: float) -> None:
    """A tone within the band has its own level, to a decibel."""
    assert looks(sounds.tones(0.2, 1000, level_db=level_db))[5].level_db == pytest.approx(
        level_db, abs=1.0
    )


def test_a_hiss_has_no_pitch_and_a_tone_does_not_change() -> None:
    """The two that tell a voice apart, at their ends."""
    hissing = looks(sounds.hiss(1.0, -20.0))[2:]
    steady = looks(sounds.tones(1.0, 440))[2:]

    assert max(look.pitch for look in hissing) < 0.5
    assert max(look.change for look in steady) < 0.02
    assert min(look.pitch for look in steady) > 0.9


def test_keys_are_told_by_their_two_frequencies() -> None:
    """All sixteen of them; half a key, one frequency alone, is none."""
    for row in sounds.ROWS:
        for column in sounds.COLUMNS:
            assert looks(sounds.tones(0.1, row, column))[2].key > 0.9
    assert looks(sounds.tones(0.1, 697))[2].key == 0.0


def test_silence_is_no_error() -> None:
    """Nothing at all has a level far below everything."""
    assert looks(sounds.tones(0.1, 1000) * 0)[2].level_db < -90
