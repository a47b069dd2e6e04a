"""What was said and what arrived, compared: where one is in the other, and how clean it is."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy import signal

from bridge.audio.g711 import ulaw_to_pcm16
from tests.fakes.openai.sound import from_pcm24, tone

__all__ = [
    "Match",
    "heard_prefix",
    "match",
    "pcm24_of",
    "samples",
    "samples_of_ulaw",
    "ulaw_of",
    "voice",
    "word",
]

Samples = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Match:
    """`at` samples into the recording the original was found, with this signal-to-noise ratio."""

    at: int
    snr_db: float
    gain_db: float


def samples(pcm16: bytes) -> Samples:
    return np.frombuffer(pcm16, "<i2").astype(np.float64)


def samples_of_ulaw(ulaw: bytes) -> Samples:
    return samples(ulaw_to_pcm16(ulaw))


def pcm24_of(ulaw: bytes) -> bytes:
    """The same sound as PCM16 at 24 kHz, by somebody else's resampler."""
    wide = signal.resample_poly(samples_of_ulaw(ulaw), 3, 1)
    return _pcm16(wide)


def ulaw_of(pcm24: bytes) -> bytes:
    """PCM16 at 24 kHz as the fake of OpenAI's says it in mu-law."""
    return from_pcm24(pcm24, {"type": "audio/pcmu"})


def word(hertz: float = 300.0, seconds: float = 0.3) -> bytes:
    """Something short that counts as speech, mu-law."""
    return ulaw_of(tone(seconds, hertz))


def match(original: Samples, recording: Samples) -> Match:
    """
    Find the original in the recording and measure what is left when it is taken out.

    A delay by a part of a sample is made good, as it is none that anybody hears.
    """
    found = signal.correlate(recording, original, mode="valid", method="fft")
    at = int(np.argmax(found))
    cut = recording[at : at + len(original)]
    aligned = _shifted(original, cut)
    gain = float(np.dot(cut, aligned) / np.dot(aligned, aligned))
    noise = cut - gain * aligned
    snr = 10 * np.log10(np.sum((gain * aligned) ** 2) / max(float(np.sum(noise**2)), 1e-9))
    return Match(at, float(snr), float(20 * np.log10(abs(gain) or 1e-12)))


def heard_prefix(answer: bytes, heard: bytes) -> int:
    """How many bytes from the beginning of `answer` are somewhere in `heard`, in one piece."""
    low, high = 0, len(answer)
    while low < high:
        middle = (low + high + 1) // 2
        low, high = (middle, high) if answer[:middle] in heard else (low, middle - 1)
    return low


def voice(seconds: float, seed: int = 1) -> bytes:
    """PCM16 at 24 kHz that nothing else sounds like: noise in the telephone's band."""
    dice = np.random.default_rng(seed)
    noise = dice.standard_normal(round(seconds * 24_000))
    band = signal.butter(6, [400, 3000], "bandpass", fs=24_000, output="sos")
    sound = signal.sosfilt(band, noise)
    sound *= 6_000 / np.sqrt(np.mean(sound**2))
    return _pcm16(sound)


def _pcm16(sound: Samples) -> bytes:
    clipped: npt.NDArray[np.int16] = np.clip(np.rint(sound), -32768, 32767).astype("<i2")
    return clipped.tobytes()


def _shifted(original: Samples, cut: Samples) -> Samples:
    """The original, moved by the part of a sample that fits best."""
    spectrum = np.fft.rfft(original)
    turns = np.fft.rfftfreq(len(original))
    cross = np.fft.rfft(cut) * np.conj(spectrum)
    weight = np.abs(cross)
    strong = weight > weight.max() * 1e-3
    slope = np.sum(weight[strong] * np.angle(cross[strong]) * turns[strong])
    slope /= np.sum(weight[strong] * turns[strong] ** 2)
    moved = np.fft.irfft(spectrum * np.exp(1j * slope * turns), len(original))
    return np.asarray(moved, dtype=np.float64)
