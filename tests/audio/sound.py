"""Tones to put in, and what is to be measured of what comes out."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

__all__ = ["chunks", "level_db", "loudest_db", "pcm16", "samples", "tone"]

Samples = npt.NDArray[np.float64]


def pcm16(samples: Samples) -> bytes:
    return np.rint(samples).astype("<i2").tobytes()


def samples(pcm16: bytes) -> Samples:
    return np.frombuffer(pcm16, "<i2").astype(np.float64)


def tone(
    frequency: float, rate: int, *, amplitude: float = 20_000.0, ms: int = 500, delay_ms: float = 0
) -> Samples:
    """A cosine that is `delay_ms` late."""
    time = np.arange(rate * ms // 1000) / rate - delay_ms / 1000
    return amplitude * np.cos(2 * np.pi * frequency * time)


def level_db(sound: Samples, frequency: float, rate: int, *, amplitude: float = 20_000.0) -> float:
    """How loud `frequency` is in the middle of `sound`, against a tone of `amplitude`."""
    middle = _middle(sound, rate)
    turning = np.exp(-2j * np.pi * frequency * np.arange(len(middle)) / rate)
    window = np.blackman(len(middle))
    found = 2 * abs(np.sum(middle * window * turning)) / np.sum(window)
    return _db(found / amplitude)


def loudest_db(
    sound: Samples, low: float, high: float, rate: int, *, amplitude: float = 20_000.0
) -> float:
    """How loud the loudest tone from `low` to `high` Hz is, against a tone of `amplitude`."""
    middle = _middle(sound, rate)
    window = np.blackman(len(middle))
    spectrum = 2 * np.abs(np.fft.rfft(middle * window)) / np.sum(window)
    frequencies = np.fft.rfftfreq(len(middle), 1 / rate)
    between = (frequencies >= low) & (frequencies <= high)
    return _db(float(spectrum[between].max()) / amplitude)


def chunks(audio: bytes, size: int) -> list[bytes]:
    return [audio[start : start + size] for start in range(0, len(audio), size)]


def _middle(sound: Samples, rate: int) -> Samples:
    """Without the first and last 50 ms, where the sound begins and ends."""
    edge = rate // 20
    return sound[edge:-edge]


def _db(ratio: float) -> float:
    return float(20 * np.log10(max(ratio, 1e-12)))
