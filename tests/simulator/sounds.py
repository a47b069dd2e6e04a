"""Sounds for the tests of the simulator."""

from __future__ import annotations

import math
import struct

from bridge.audio.g711 import pcm16_to_ulaw

__all__ = ["silence", "tone"]


def tone(seconds: float, *, hertz: int = 440, amplitude: int = 8_000) -> bytes:
    """A sine in mu-law, 8000 Hz."""
    size = round(seconds * 8_000)
    wave = (round(amplitude * math.sin(2 * math.pi * hertz * n / 8_000)) for n in range(size))
    return pcm16_to_ulaw(struct.pack(f"<{size}h", *wave))


def silence(seconds: float) -> bytes:
    """Mu-law silence."""
    return b"\xff" * round(seconds * 8_000)
