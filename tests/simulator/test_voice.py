"""Telling a voice from silence."""

from __future__ import annotations

import pytest

from bridge.simulator.voice import Spurt, is_voice, spurts
from tests.simulator.sounds import silence, tone


@pytest.mark.parametrize(
    ("audio", "voice"),
    [
        (tone(0.02), True),
        (tone(0.02, amplitude=600), True),
        (tone(0.02, amplitude=60), False),
        (silence(0.02), False),
        (b"\x7f" * 160, False),
        (b"", False),
    ],
)
def test_a_voice_is_louder_than_a_hiss(audio: bytes, voice: bool) -> None:
    """Both zeros of mu-law are silence, and so is what no caller would notice."""
    assert is_voice(audio) is voice


def test_spurts_are_parted_by_pauses() -> None:
    """Half a second of silence ends a spurt; a breath between words does not."""
    audio = silence(0.3) + tone(0.4) + silence(0.4) + tone(0.2) + silence(0.7) + tone(0.1)

    found = spurts(audio)

    assert [(round(s.start, 2), round(s.end, 2)) for s in found] == [(0.3, 1.3), (2.0, 2.1)]


def test_silence_has_no_spurts() -> None:
    """Nor has nothing."""
    assert spurts(silence(1)) == spurts(b"") == []


def test_shorter_pauses_part_when_asked() -> None:
    """How long a pause is, is an argument."""
    audio = tone(0.1) + silence(0.1) + tone(0.1)

    assert len(spurts(audio, pause_seconds=0.05)) == 2
    assert spurts(audio) == [Spurt(0.0, 0.3)]
