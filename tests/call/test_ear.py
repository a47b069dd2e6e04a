"""Hearing that somebody speaks."""

from __future__ import annotations

import random

import pytest

from bridge.audio.formats import ALAW_8K, PCM16_8K, ULAW_8K, AudioFormat
from bridge.audio.g711 import pcm16_to_ulaw, ulaw_to_alaw
from bridge.call.ear import END_MS, Ear
from bridge.simulator.voice import spurts
from tests.journeys.stage import speech

FRAME = 160
SILENCE = b"\xff" * 8_000


def changes(ear: Ear, audio: bytes) -> list[float]:
    """When it changes its mind, in seconds."""
    return [at / 8_000 for at in range(0, len(audio), FRAME) if ear.hear(audio[at : at + FRAME])]


def hiss(seconds: float, level: int) -> bytes:
    dice = random.Random(7)
    samples = [dice.randint(-level, level) for _ in range(round(seconds * 8_000))]
    return pcm16_to_ulaw(b"".join(each.to_bytes(2, "little", signed=True) for each in samples))


@pytest.mark.parametrize("name", ["question", "order", "yes"])
@pytest.mark.parametrize("law", [ULAW_8K, ALAW_8K])
def test_recorded_speech(name: str, law: AudioFormat) -> None:
    """It begins and ends within a few tenths of a second of what a finer ear finds."""
    audio = SILENCE + speech(name) + SILENCE
    [first, *_, last] = [(spurt.start, spurt.end) for spurt in spurts(audio)] * 2
    found = changes(Ear(law), ulaw_to_alaw(audio) if law is ALAW_8K else audio)

    assert found[0] == pytest.approx(first[0], abs=0.3)
    assert found[-1] == pytest.approx(last[1] + END_MS / 1000, abs=0.3)
    assert len(found) % 2 == 0


def test_a_line_hisses() -> None:
    """Noise of -45 dB is nobody."""
    ear = Ear(ULAW_8K)

    assert changes(ear, hiss(3.0, 300)) == []
    assert not ear.speaking


def test_a_click_is_nobody() -> None:
    assert changes(Ear(ULAW_8K), SILENCE + hiss(0.02, 20_000) + SILENCE) == []


def test_a_breath_between_words_is_no_end() -> None:
    voice, pause = hiss(0.3, 8_000), b"\xff" * 2_400
    ear = Ear(ULAW_8K)

    assert len(changes(ear, voice + pause + voice)) == 1
    assert ear.speaking


def test_pieces_of_any_length() -> None:
    """Those of a carrier may be longer or shorter than 20 ms."""
    audio = SILENCE + speech("question") + SILENCE
    whole, cut = Ear(ULAW_8K), Ear(ULAW_8K)
    found = changes(whole, audio)
    begun = next(at for at in range(0, len(audio), 80) if cut.hear(audio[at : at + 80])) / 8_000

    assert begun == pytest.approx(found[0], abs=0.04)
    assert not whole.hear(b"")


def test_other_audio_is_not_listened_to() -> None:
    assert changes(Ear(PCM16_8K), bytes(range(256)) * 100) == []
