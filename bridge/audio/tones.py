"""
Keys as tones in the voice (DTMF, ITU-T Q.23), for lines that have no other way to send them.
"""

from __future__ import annotations

import math
import struct
from functools import cache

from bridge.audio.g711 import pcm16_to_ulaw

__all__ = ["KEYS", "PAUSE_MS", "PRESS_MS", "tones"]

KEYS = "0123456789*#ABCD"
PRESS_MS = 100  # of a key; 40 are the least that is understood (Q.24)
PAUSE_MS = 100  # behind it

_RATE = 8_000
_LOUDNESS = 0.25  # of full scale, for each of the two: -12 dB
_ROWS = dict(zip(("123A", "456B", "789C", "*0#D"), (697, 770, 852, 941), strict=True))
_COLUMNS = dict(zip(("147*", "2580", "369#", "ABCD"), (1_209, 1_336, 1_477, 1_633), strict=True))


def tones(keys: str) -> bytes:
    """These keys one after the other, in mu-law at 8000 Hz. Raises KeyError for others."""
    return b"".join(map(_tone, keys))


@cache
def _tone(key: str) -> bytes:
    low, high = _frequency(key, _ROWS), _frequency(key, _COLUMNS)
    steps = range(PRESS_MS * _RATE // 1000)
    sound = [_LOUDNESS * (_sine(low, step) + _sine(high, step)) for step in steps]
    sound += [0.0] * (PAUSE_MS * _RATE // 1000)
    return pcm16_to_ulaw(struct.pack(f"<{len(sound)}h", *(round(32_767 * each) for each in sound)))


def _frequency(key: str, frequencies: dict[str, int]) -> int:
    for keys, frequency in frequencies.items():
        if key in keys:
            return frequency
    raise KeyError(key)


def _sine(frequency: int, step: int) -> float:
    return math.sin(2 * math.pi * frequency * step / _RATE)
