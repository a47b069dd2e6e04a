"""PCM16 in WAV files: a call as it was, or speech to be played."""

from __future__ import annotations

import wave
from pathlib import Path

import numpy as np
import numpy.typing as npt

from bridge.errors import AudioFormatError

__all__ = ["read_wav", "write_wav"]

_SAMPLE = np.dtype("<i2")
_STEREO = 2


def write_wav(path: str | Path, rate: int, *channels: bytes) -> None:
    """
    Write one PCM16 stream (mono) or two (left, right) at `rate` Hz.

    The shorter one ends in silence. Raises AudioFormatError for another number of channels,
    a rate of nothing or a sample that is cut in two, OSError when the file cannot be written.
    """
    _check_rate(rate)
    if not 1 <= len(channels) <= _STEREO:
        raise AudioFormatError(f"a WAV of ours has one or two channels, not {len(channels)}")
    if any(len(channel) % _SAMPLE.itemsize for channel in channels):
        raise AudioFormatError("a 16-bit sample is cut in two: the number of bytes is odd")
    length = max(len(channel) for channel in channels) // _SAMPLE.itemsize
    frames = np.zeros((length, len(channels)), _SAMPLE)
    for index, channel in enumerate(channels):
        samples = np.frombuffer(channel, _SAMPLE)
        frames[: len(samples), index] = samples
    with Path(path).open("wb") as file, wave.open(file, "wb") as out:
        out.setnchannels(len(channels))
        out.setsampwidth(_SAMPLE.itemsize)
        out.setframerate(rate)
        out.writeframes(frames.tobytes())


def read_wav(path: str | Path) -> tuple[bytes, int]:
    """
    The sound of a PCM16 WAV as mono PCM16, and its rate in Hz; several channels are mixed.

    Raises AudioFormatError when the file is not such a WAV, OSError when it cannot be read.
    """
    try:
        with Path(path).open("rb") as file, wave.open(file, "rb") as source:
            width, channels = source.getsampwidth(), source.getnchannels()
            rate, audio = source.getframerate(), source.readframes(source.getnframes())
    except (wave.Error, EOFError, RuntimeError) as exc:  # RuntimeError: a chunk past the end
        raise AudioFormatError(
            f"not a PCM WAV file: {str(exc) or 'its chunks do not fit'}"
        ) from None
    if width != _SAMPLE.itemsize:
        raise AudioFormatError(f"the WAV has {width * 8} bits a sample, and not 16")
    _check_rate(rate)
    whole = len(audio) - len(audio) % (width * channels)  # a file may be cut off
    return _mixed(audio[:whole], channels), rate


def _check_rate(rate: int) -> None:
    if rate <= 0:
        raise AudioFormatError(f"a sample rate of {rate} Hz makes no sound")


def _mixed(audio: bytes, channels: int) -> bytes:
    if channels == 1:
        return audio
    frames = np.frombuffer(audio, _SAMPLE).reshape(-1, channels)
    mixed: npt.NDArray[np.int16] = np.rint(frames.mean(axis=1)).astype(_SAMPLE)
    return mixed.tobytes()
