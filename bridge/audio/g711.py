"""
G.711: mu-law and A-law, the telephone's eight bits a sample, to PCM16 and back.

The two laws of ITU-T G.711 as the C library of Python has them. A code that is decoded and
encoded again is itself, but for mu-law 0x7F: it is the second zero, and comes back as 0xFF.
"""

from __future__ import annotations

import warnings

from bridge.errors import AudioFormatError

with warnings.catch_warnings():
    # Python 3.11 and 3.12 warn that 3.13 has it no more; there audioop-lts takes its place.
    warnings.simplefilter("ignore", DeprecationWarning)
    import audioop

__all__ = [
    "alaw_to_pcm16",
    "alaw_to_ulaw",
    "pcm16_to_alaw",
    "pcm16_to_ulaw",
    "ulaw_to_alaw",
    "ulaw_to_pcm16",
]

_PCM16_WIDTH = 2  # bytes of a sample


def ulaw_to_pcm16(ulaw: bytes) -> bytes:
    """Mu-law to PCM16: two bytes for each one, between -32124 and 32124."""
    return audioop.ulaw2lin(ulaw, _PCM16_WIDTH)


def alaw_to_pcm16(alaw: bytes) -> bytes:
    """A-law to PCM16: two bytes for each one, between -32256 and 32256."""
    return audioop.alaw2lin(alaw, _PCM16_WIDTH)


def pcm16_to_ulaw(pcm16: bytes) -> bytes:
    """PCM16 to mu-law. Raises AudioFormatError when a sample is cut in two."""
    try:
        return audioop.lin2ulaw(pcm16, _PCM16_WIDTH)
    except audioop.error:
        raise _cut_in_two() from None


def pcm16_to_alaw(pcm16: bytes) -> bytes:
    """PCM16 to A-law. Raises AudioFormatError when a sample is cut in two."""
    try:
        return audioop.lin2alaw(pcm16, _PCM16_WIDTH)
    except audioop.error:
        raise _cut_in_two() from None


def ulaw_to_alaw(ulaw: bytes) -> bytes:
    """Mu-law to A-law, byte for byte."""
    return ulaw.translate(_ULAW_TO_ALAW)


def alaw_to_ulaw(alaw: bytes) -> bytes:
    """A-law to mu-law, byte for byte."""
    return alaw.translate(_ALAW_TO_ULAW)


def _cut_in_two() -> AudioFormatError:
    return AudioFormatError("a 16-bit sample is cut in two: the number of bytes is odd")


_EVERY_CODE = bytes(range(256))
_ULAW_TO_ALAW = pcm16_to_alaw(ulaw_to_pcm16(_EVERY_CODE))
_ALAW_TO_ULAW = pcm16_to_ulaw(alaw_to_pcm16(_EVERY_CODE))
