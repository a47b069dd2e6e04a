"""Who speaks when: the loudness of PCM16, and a tone to be heard."""

from __future__ import annotations

import math
import struct
from dataclasses import dataclass, field

import numpy as np

__all__ = ["Ears", "tone"]

WINDOW_MS = 20
LOUD = 500  # root mean square of what counts as speech, of 32768


def tone(seconds: float, rate: int, hertz: float = 440.0, level: int = 8_000) -> bytes:
    """A sine in PCM16."""
    step = 2 * math.pi * hertz / rate
    samples = (round(level * math.sin(step * n)) for n in range(int(seconds * rate)))
    return b"".join(struct.pack("<h", sample) for sample in samples)


@dataclass
class Ears:
    """Finds the beginning and the end of speech, in the time of the audio itself."""

    silence_ms: int = 500
    prefix_ms: int = 40
    speaking: bool = False
    _rest: bytes = b""
    _loud_ms: int = 0
    _quiet_ms: int = 0
    heard_ms: int = field(default=0)

    def hear(self, pcm: bytes, rate: int) -> list[str]:
        """The changes that this audio brings: "start", "end"."""
        size = 2 * rate * WINDOW_MS // 1000
        self._rest += pcm
        changes: list[str] = []
        while len(self._rest) >= size:
            window, self._rest = self._rest[:size], self._rest[size:]
            changes += self._hear_window(window)
        return changes

    def flush(self) -> list[str]:
        """No more audio for now: whoever spoke is done."""
        spoke, self.speaking = self.speaking, False
        self._rest, self._loud_ms, self._quiet_ms = b"", 0, 0
        return ["end"] if spoke else []

    def _hear_window(self, window: bytes) -> list[str]:
        self.heard_ms += WINDOW_MS
        samples = np.frombuffer(window, dtype="<i2").astype(np.float64)
        loud = math.sqrt(float(np.mean(samples**2))) > LOUD
        self._loud_ms = self._loud_ms + WINDOW_MS if loud else 0
        self._quiet_ms = 0 if loud else self._quiet_ms + WINDOW_MS
        if not self.speaking and self._loud_ms >= self.prefix_ms:
            self.speaking = True
            return ["start"]
        if self.speaking and self._quiet_ms >= self.silence_ms:
            self.speaking = False
            return ["end"]
        return []
