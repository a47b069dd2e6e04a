"""
Words that were not recorded, said by CMU's `flite` where it is installed.

Rule: what blocks is called in a thread. A word that cannot be said is silence, no error.
"""

from __future__ import annotations

import logging
import shutil
import subprocess
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np

from bridge.audio.g711 import pcm16_to_ulaw
from bridge.audio.resample import RATES, Resampler
from bridge.audio.wav import read_wav
from bridge.errors import AudioFormatError

__all__ = ["Synthesiser"]

VOICE = "rms"  # the nearest of flite's to the recorded one
TIMEOUT_SECONDS = 5.0
MAX_CHARACTERS = 400
LEVEL_DB = -19.0  # of full scale while it speaks, as the recordings
RATE = 8_000  # Hz

_logger = logging.getLogger(__name__)


class Synthesiser:
    """One program that speaks."""

    def __init__(self, program: Path, *, timeout: float = TIMEOUT_SECONDS) -> None:
        self._program = program
        self._timeout = timeout

    @classmethod
    def find(cls, path: str | None = None) -> Synthesiser | None:
        """The one on `path`, which is PATH if it is not given; None if there is none."""
        program = shutil.which("flite", path=path)
        return cls(Path(program)) if program else None

    def say(self, phrase: str) -> bytes:
        """`phrase` in mu-law of 8 kHz, empty when that fails. Blocks, for up to `timeout`."""
        try:
            return _telephone(*self._run(phrase[:MAX_CHARACTERS]))
        except (OSError, subprocess.SubprocessError, AudioFormatError) as exc:
            _logger.warning("flite could not speak: %s", type(exc).__name__)
            return b""

    def _run(self, phrase: str) -> tuple[bytes, int]:
        with TemporaryDirectory(prefix="bridge-") as folder:
            file = Path(folder) / "phrase.wav"
            command = [str(self._program), "-voice", VOICE, "-t", phrase, "-o", str(file)]
            subprocess.run(  # noqa: S603 - no shell, and only words in lower case
                command, check=True, timeout=self._timeout, capture_output=True
            )
            return read_wav(file)


def _telephone(audio: bytes, rate: int) -> bytes:
    if rate != RATE:
        if rate not in RATES:
            return b""
        resampler = Resampler(rate, RATE)
        audio = resampler.feed(audio) + resampler.flush()
    samples = np.frombuffer(audio, "<i2").astype(np.float64)
    spoken = np.abs(samples) > np.abs(samples).max(initial=0) / 16
    if not spoken.any():
        return b""
    level = np.sqrt((samples[spoken] ** 2).mean())
    samples *= 32_768 * 10 ** (LEVEL_DB / 20) / level
    return pcm16_to_ulaw(np.clip(samples, -32_767, 32_767).astype("<i2").tobytes())
