"""Sounds for the ears' tests: recorded callers, and what is no caller."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

import numpy as np
import numpy.typing as npt

import bridge.simulator
from bridge.audio.formats import PCM16_8K, AudioFormat
from bridge.audio.transcode import transcoder
from bridge.audio.wav import read_wav

RATE = 8_000
SPEECH = Path(bridge.simulator.__file__).parent / "speech"
EDGE_MS = 100  # of line noise at both ends of a recording

Sound = npt.NDArray[np.float64]

ROWS, COLUMNS = (697, 770, 852, 941), (1209, 1336, 1477, 1633)


def recorded(name: str) -> Sound:
    """A recording of the simulated caller."""
    audio, _ = read_wav(SPEECH / f"{name}.wav")
    return np.frombuffer(audio, "<i2") / 32_768


def hiss(seconds: float, level_db: float = -63.0, seed: int = 1) -> Sound:
    """White noise at this level of full scale."""
    noise: Sound = np.random.default_rng(seed).normal(size=int(seconds * RATE))
    return _at(noise, level_db)


def rumble(seconds: float, level_db: float) -> Sound:
    """Pink noise, as of a street."""
    spectrum = np.fft.rfft(hiss(seconds, 0.0))
    frequency = np.fft.rfftfreq(int(seconds * RATE), 1 / RATE)
    noise = np.fft.irfft(spectrum / np.sqrt(np.maximum(frequency, 20)), int(seconds * RATE))
    return _at(noise, level_db)


def tones(seconds: float, *frequencies: float, level_db: float = -20.0) -> Sound:
    """Pure tones together."""
    at = np.arange(int(seconds * RATE)) / RATE
    sound: Sound = sum((np.sin(2 * np.pi * f * at) for f in frequencies), np.zeros(len(at)))
    return _at(sound, level_db)


def hum(seconds: float, mains: int, level_db: float) -> Sound:
    """The mains and twelve of its harmonics."""
    at = np.arange(int(seconds * RATE)) / RATE
    parts = (np.sin(2 * np.pi * mains * n * at + n) / n for n in range(1, 13))
    sound: Sound = sum(parts, np.zeros(len(at)))
    return _at(sound, level_db)


def keys(tone_seconds: float, gap_seconds: float) -> Sound:
    """Every key of a telephone once."""
    gap = np.zeros(int(gap_seconds * RATE))
    pressed = [tones(tone_seconds, row, column) for row in ROWS for column in COLUMNS]
    return np.concatenate([part for tone in pressed for part in (tone, gap)])


def clicks(seconds: float) -> Sound:
    """A loud click of 1 to 10 ms three times a second."""
    sound = hiss(seconds)
    for number, start in enumerate(range(1000, len(sound) - 100, RATE // 3)):
        sound[start : start + 8 * (number % 10 + 1)] = 0.8 if number % 2 else -0.8
    return sound


def on_a_line(sound: Sound, before: float = 1.0, after: float = 1.5) -> Sound:
    """With a quiet line before and after, in seconds."""
    return np.concatenate([hiss(before), sound, hiss(after, seed=2)])


def audio(sound: Sound, format: AudioFormat = PCM16_8K) -> bytes:
    """The sound in a format."""
    pcm16 = np.rint(np.clip(sound, -1, 1) * 32_767).astype("<i2").tobytes()
    return transcoder(PCM16_8K, format).feed(pcm16)


def frames(data: bytes, format: AudioFormat = PCM16_8K) -> Iterable[bytes]:
    """Pieces of 20 ms."""
    size = format.size(20)
    return (data[start : start + size] for start in range(0, len(data), size))


def _at(sound: Sound, level_db: float) -> Sound:
    """The sound at this level of full scale."""
    louder: Sound = sound / sound.std() * 10 ** (level_db / 20)
    return louder
