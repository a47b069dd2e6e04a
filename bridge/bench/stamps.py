"""
A number in the first frames of a caller's audio, by which both ends of a bridge know a call.

Rule: it survives mu-law, PCM16 and resampling. Each frame of 20 ms holds one bit, in the
sign of a constant level, and it is read in the middle of the frame, where filters are calm.
"""

from __future__ import annotations

from bridge.audio.formats import AudioEncoding, AudioFormat
from bridge.audio.g711 import pcm16_to_ulaw

__all__ = ["BITS", "FRAME_MS", "StampReader", "write_stamp"]

BITS = 16
FRAME_MS = 20
LEVEL = 8_000  # of 32 767

_LEVELS = tuple(
    pcm16_to_ulaw(level.to_bytes(2, "little", signed=True)) * 160 for level in (-LEVEL, LEVEL)
)


def write_stamp(number: int) -> list[bytes]:
    """BITS frames of mu-law that say `number`, its highest bit first."""
    return [_LEVELS[number >> bit & 1] for bit in reversed(range(BITS))]


class StampReader:
    """Reads the stamp at the beginning of a stream in `format`, however it is cut."""

    def __init__(self, format: AudioFormat) -> None:
        self._format = format
        self._audio = b""

    def feed(self, audio: bytes) -> int | None:
        """The number, once all of it is there; until then None."""
        self._audio += audio
        frame = self._format.size(FRAME_MS)
        if len(self._audio) < frame * BITS:
            return None
        number = 0
        for begin in range(0, frame * BITS, frame):
            number = number << 1 | self._bit(begin + frame // 2)
        return number

    def _bit(self, middle: int) -> int:
        if self._format.encoding is AudioEncoding.PCM16:
            sample = self._audio[middle & ~1 : (middle & ~1) + 2]
            return int(int.from_bytes(sample, "little", signed=True) > 0)
        return self._audio[middle] >> 7  # G.711 has the sign in the highest bit
