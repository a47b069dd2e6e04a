"""The fake's mouth and ears: tones, formats, and voice activity by energy."""

from __future__ import annotations

import audioop
import functools
import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

__all__ = ["Ear", "Started", "Stopped", "bytes_per_ms", "from_pcm24", "tone"]

_RATE = 24_000  # Hz of PCM
_LOUD = 2_000  # RMS of 16-bit samples that counts as speech at threshold 0.5
_BLOCK_MS = 20
_ONSET_MS = 60  # of sound before it is speech


@functools.cache
def tone(seconds: float, hertz: float) -> bytes:
    """PCM16 at 24 kHz, loud enough to be heard as speech, without a click at either end."""
    count = round(seconds * _RATE)
    wave = 8_000 * np.sin(2 * math.pi * hertz * np.arange(count) / _RATE)
    ramp = np.minimum(1.0, np.minimum(np.arange(count), np.arange(count)[::-1]) / 120)
    return (wave * ramp).astype("<i2").tobytes()


def bytes_per_ms(format: Mapping[str, Any]) -> int:
    return 48 if format["type"] == "audio/pcm" else 8


def from_pcm24(audio: bytes, format: Mapping[str, Any]) -> bytes:
    """PCM16 at 24 kHz in the words of a session's audio format."""
    if format["type"] == "audio/pcm":
        return audio
    narrow, _ = audioop.ratecv(audio, 2, 1, _RATE, 8_000, None)
    if format["type"] == "audio/pcmu":
        return audioop.lin2ulaw(narrow, 2)
    return audioop.lin2alaw(narrow, 2)


@dataclass(frozen=True, slots=True)
class Started:
    at_ms: int
    """Since the session's first audio, the padding before the speech included."""


@dataclass(frozen=True, slots=True)
class Stopped:
    at_ms: int


class Ear:
    """Hears the caller's audio block by block and tells where speech starts and stops."""

    def __init__(self) -> None:
        self.heard_ms = 0
        self.speaking = False
        self._rest = b""
        self._loud_ms = 0
        self._quiet_ms = 0

    def hear(
        self, audio: bytes, format: Mapping[str, Any], detection: Mapping[str, Any] | None
    ) -> Iterator[Started | Stopped]:
        """Without `detection` time passes, and nobody is heard to speak."""
        size = bytes_per_ms(format) * _BLOCK_MS
        self._rest += audio
        while len(self._rest) >= size:
            block, self._rest = self._rest[:size], self._rest[size:]
            self.heard_ms += _BLOCK_MS
            if detection is not None:
                yield from self._judge(_rms(block, format), detection)

    def reset(self) -> None:
        """The turn was ended by hand."""
        self.speaking = False
        self._loud_ms = self._quiet_ms = 0

    def _judge(self, rms: int, detection: Mapping[str, Any]) -> Iterator[Started | Stopped]:
        loud = rms > _LOUD * 2 * (detection.get("threshold") or 0.5)
        self._loud_ms = self._loud_ms + _BLOCK_MS if loud else 0
        self._quiet_ms = 0 if loud else self._quiet_ms + _BLOCK_MS
        if not self.speaking and self._loud_ms >= _ONSET_MS:
            self.speaking = True
            padding = detection.get("prefix_padding_ms") or 300
            yield Started(max(0, self.heard_ms - self._loud_ms - padding))
        elif self.speaking and self._quiet_ms >= (detection.get("silence_duration_ms") or 500):
            self.speaking = False
            yield Stopped(self.heard_ms)


def _rms(block: bytes, format: Mapping[str, Any]) -> int:
    match format["type"]:
        case "audio/pcmu":
            block = audioop.ulaw2lin(block, 2)
        case "audio/pcma":
            block = audioop.alaw2lin(block, 2)
        case _:
            pass
    return audioop.rms(block, 2)
