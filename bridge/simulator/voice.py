"""
Where there is a voice in mu-law audio, by its energy.

Rule: pure. Good enough for a clean line and a speech model; it would take music for speech.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from bridge.audio.g711 import ulaw_to_pcm16

__all__ = ["SPURT_PAUSE_SECONDS", "Spurt", "is_voice", "spurts"]

SPURT_PAUSE_SECONDS = 0.5  # a pause between words is shorter
THRESHOLD = 184.0  # RMS of PCM16: -45 dB of full scale, well above a line's hiss
WINDOW_SIZE = 80  # bytes: 10 ms
BYTES_PER_SECOND = 8_000

_POWER = np.frombuffer(ulaw_to_pcm16(bytes(range(256))), "<i2").astype(np.float32) ** 2


@dataclass(frozen=True, slots=True)
class Spurt:
    """Speech without a pause, in seconds from the beginning of the audio."""

    start: float
    end: float


def is_voice(audio: bytes) -> bool:
    """Whether there is more than a hiss in a frame or so of mu-law."""
    if not audio:
        return False
    return float(_POWER[np.frombuffer(audio, np.uint8)].mean()) > THRESHOLD**2


def spurts(audio: bytes, *, pause_seconds: float = SPURT_PAUSE_SECONDS) -> list[Spurt]:
    """The talk spurts of mu-law audio to 10 ms; shorter pauses do not part them."""
    windows = len(audio) // WINDOW_SIZE
    power = _POWER[np.frombuffer(audio, np.uint8, windows * WINDOW_SIZE)]
    loud = np.flatnonzero(power.reshape(windows, WINDOW_SIZE).mean(axis=1) > THRESHOLD**2)
    if not len(loud):
        return []
    seconds = WINDOW_SIZE / BYTES_PER_SECOND
    parted = np.flatnonzero(np.diff(loud) > pause_seconds / seconds)
    firsts = loud[np.concatenate(([0], parted + 1))]
    lasts = loud[np.concatenate((parted, [len(loud) - 1]))]
    return [
        Spurt(float(first) * seconds, float(last + 1) * seconds)
        for first, last in zip(firsts, lasts, strict=True)
    ]
