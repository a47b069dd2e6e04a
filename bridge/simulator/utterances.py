"""What a simulated caller can say: recordings that come with the package, or any PCM WAV."""

from __future__ import annotations

from pathlib import Path

from bridge.audio.g711 import pcm16_to_ulaw
from bridge.audio.resample import RATES, Resampler
from bridge.audio.wav import read_wav
from bridge.errors import AudioFormatError, ConfigError

__all__ = ["load", "names", "recorded"]

SAMPLE_RATE = 8_000
SPEECH = Path(__file__).parent / "speech"


def names() -> tuple[str, ...]:
    """The recordings of the package."""
    return tuple(sorted(path.stem for path in SPEECH.glob("*.wav")))


def recorded(name: str) -> bytes:
    """A recording of the package as mu-law. Raises ConfigError when there is none."""
    if name not in names():
        raise ConfigError(f"there is no recording of this name; there are {', '.join(names())}")
    return load(SPEECH / f"{name}.wav")


def load(path: str | Path) -> bytes:
    """A PCM16 WAV of 8, 16 or 24 kHz as mu-law of 8 kHz. Raises ConfigError."""
    try:
        audio, rate = read_wav(path)
    except OSError as exc:
        raise ConfigError(f"the audio cannot be read: {exc.strerror}") from None
    except AudioFormatError as exc:
        raise ConfigError(f"the audio cannot be used: {exc}") from None
    if rate not in RATES:
        raise ConfigError(f"the audio has {rate} Hz, and not 8000, 16000 or 24000")
    if rate != SAMPLE_RATE:
        resampler = Resampler(rate, SAMPLE_RATE)
        audio = resampler.feed(audio) + resampler.flush()
    return pcm16_to_ulaw(audio)
