"""What is played where a packet is missing."""

from __future__ import annotations

import numpy as np
import pytest

from bridge.audio import g711
from bridge.audio.formats import ALAW_8K, ULAW_8K
from bridge.wire.rtp.concealment import HISTORY, Concealer
from tests.audio.sound import pcm16, tone
from tests.wire.rtp.line import sound, speech


def snr_db(wanted: bytes, got: bytes) -> float:
    signal, noise = sound(wanted), sound(got) - sound(wanted)
    return float(10 * np.log10((signal @ signal) / (noise @ noise + 1e-9)))


def test_a_tone_goes_on() -> None:
    """For 10 ms whole: what is periodic is guessed well."""
    ulaw = g711.pcm16_to_ulaw(pcm16(tone(200, 8000, ms=100, amplitude=8000)))

    made = Concealer(ULAW_8K).conceal(ulaw[:400], 80)

    assert snr_db(ulaw[400:480], made) > 20


def test_it_fades() -> None:
    """After 60 ms there is silence."""
    concealer = Concealer(ULAW_8K)
    ulaw = g711.pcm16_to_ulaw(pcm16(tone(200, 8000, ms=100)))

    loud = [float(np.abs(sound(concealer.conceal(ulaw[-HISTORY:], 160))).mean()) for _ in range(4)]

    assert loud[0] > loud[1] > loud[2] > 0
    assert loud[3] == 0
    assert concealer.exhausted
    assert concealer.conceal(b"", 160) == b"\xff" * 160


def test_the_real_voice_comes_back() -> None:
    """Blended in over a few ms; then it is itself to the bit."""
    concealer, ulaw = Concealer(ULAW_8K), speech()[8000:8480]
    concealer.conceal(ulaw[:320], 160)

    again = concealer.rejoin(ulaw[320:])

    assert not concealer.active
    assert len(again) == 160
    assert again[32:] == ulaw[352:]
    assert again[:32] != ulaw[320:352]


def test_speech_is_better_guessed_than_repeated() -> None:
    """Of every third packet of a voice: nearer to what was said than the packet before."""
    ulaw = speech()
    guessed, repeated = [], []
    for start in range(1600, len(ulaw) - 160, 480):
        said = ulaw[start : start + 160]
        if np.abs(sound(said)).mean() < 600:
            continue
        made = Concealer(ULAW_8K).conceal(ulaw[start - HISTORY : start], 160)
        guessed.append(snr_db(said[:80], made[:80]))
        repeated.append(snr_db(said[:80], ulaw[start - 160 : start - 80]))

    assert np.mean(guessed) > 2.0
    assert np.mean(guessed) > np.mean(repeated) + 4


@pytest.mark.parametrize("size", [0, 1, 79, HISTORY])
def test_at_the_very_start(size: int) -> None:
    """Whatever little was heard before."""
    assert len(Concealer(ALAW_8K).conceal(b"\x2a" * size, 160)) == 160


def test_a_splice_is_as_long_as_its_halves() -> None:
    """And begins like the first, and ends like the second."""
    ulaw = speech()
    joint = Concealer(ULAW_8K).splice(b"\xff" * 80, ulaw[9000:9080])

    assert len(joint) == 80
    assert snr_db(ulaw[9070:9080], joint[70:]) > 10
