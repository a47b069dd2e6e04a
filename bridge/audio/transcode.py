"""
From one audio format to another, in a stream.

Rule: whoever carries audio asks for a transcoder once and feeds it; nobody else needs to
know which formats are alike.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

from bridge.audio import g711
from bridge.audio.formats import (
    ALAW_8K,
    PCM16_8K,
    PCM16_16K,
    PCM16_24K,
    ULAW_8K,
    AudioEncoding,
    AudioFormat,
)
from bridge.audio.resample import Resampler
from bridge.errors import AudioFormatError

__all__ = ["FORMATS", "UNTOUCHED", "Transcoder", "transcoder"]

FORMATS = frozenset({ULAW_8K, ALAW_8K, PCM16_8K, PCM16_16K, PCM16_24K})

_Codec = Callable[[bytes], bytes]


class Transcoder(Protocol):
    """Audio in one format in, the same sound in another out, however it is cut."""

    @property
    def delay_ms(self) -> float:
        """How much later a sound comes out than it went in, in milliseconds."""
        ...

    def feed(self, audio: bytes) -> bytes:
        """What these bytes make in the other format; a cut sample waits for its second half."""
        ...

    def reset(self) -> None:
        """Forget what went in: the next bytes begin something new."""
        ...


def transcoder(source: AudioFormat, target: AudioFormat, *, piece_ms: int = 0) -> Transcoder:
    """
    A new transcoder between two of FORMATS, or one that hands on the very bytes it is
    given, UNTOUCHED, when both are the same. Raises AudioFormatError for other pairs.

    With `piece_ms` nothing comes out before so much has come in, and then all of it: fewer
    and longer pieces, for who sends each in a message of its own.
    """
    made = _between(source, target)
    return _Gathered(made, source.size(piece_ms), piece_ms) if piece_ms else made


def _between(source: AudioFormat, target: AudioFormat) -> Transcoder:
    if source == target:
        return UNTOUCHED
    if not {source, target} <= FORMATS:
        raise AudioFormatError(f"no transcoding from {_in_words(source)} to {_in_words(target)}")
    if source.sample_rate != target.sample_rate:
        return _Resampled(source, target)
    if source.encoding is AudioEncoding.PCM16:
        return _Encoded(_ENCODE[target.encoding])
    return _Recoded(_RECODE[source.encoding, target.encoding])


class _Untouched:
    delay_ms = 0.0

    def feed(self, audio: bytes) -> bytes:
        return audio

    def reset(self) -> None:
        pass


UNTOUCHED: Transcoder = _Untouched()


class _Recoded:
    """Byte by byte: nothing to remember."""

    delay_ms = 0.0

    def __init__(self, codec: _Codec) -> None:
        self._codec = codec

    def feed(self, audio: bytes) -> bytes:
        return self._codec(audio)

    def reset(self) -> None:
        pass


class _Encoded:
    """PCM16 to one byte a sample at the same rate."""

    delay_ms = 0.0

    def __init__(self, codec: _Codec) -> None:
        self._codec = codec
        self._half = b""

    def feed(self, audio: bytes) -> bytes:
        if self._half:
            audio = self._half + audio
        whole = len(audio) & ~1
        self._half = audio[whole:]
        return self._codec(audio[:whole])

    def reset(self) -> None:
        self._half = b""


class _Resampled:
    def __init__(self, source: AudioFormat, target: AudioFormat) -> None:
        self._decode = _DECODE[source.encoding]
        self._resampler = Resampler(source.sample_rate, target.sample_rate)
        self._encode = _ENCODE[target.encoding]

    @property
    def delay_ms(self) -> float:
        return self._resampler.delay_ms

    def feed(self, audio: bytes) -> bytes:
        return self._encode(self._resampler.feed(self._decode(audio)))

    def reset(self) -> None:
        self._resampler.reset()


class _Gathered:
    """Another transcoder, fed with at least `size` bytes at once."""

    def __init__(self, inner: Transcoder, size: int, piece_ms: int) -> None:
        self._inner = inner
        self._size = size
        self._piece_ms = piece_ms
        self._held = b""

    @property
    def delay_ms(self) -> float:
        """At most: of what waits for the rest of its piece."""
        return self._inner.delay_ms + self._piece_ms

    def feed(self, audio: bytes) -> bytes:
        audio = self._held + audio
        whole = len(audio) >= self._size
        self._held = b"" if whole else audio
        return self._inner.feed(audio) if whole else b""

    def reset(self) -> None:
        self._held = b""
        self._inner.reset()


def _in_words(format: AudioFormat) -> str:
    return f"{format.encoding} at {format.sample_rate} Hz"


def _as_it_is(pcm16: bytes) -> bytes:
    return pcm16


_DECODE: dict[AudioEncoding, _Codec] = {
    AudioEncoding.PCM16: _as_it_is,
    AudioEncoding.G711_ULAW: g711.ulaw_to_pcm16,
    AudioEncoding.G711_ALAW: g711.alaw_to_pcm16,
}
_ENCODE: dict[AudioEncoding, _Codec] = {
    AudioEncoding.PCM16: _as_it_is,
    AudioEncoding.G711_ULAW: g711.pcm16_to_ulaw,
    AudioEncoding.G711_ALAW: g711.pcm16_to_alaw,
}
_RECODE: dict[tuple[AudioEncoding, AudioEncoding], _Codec] = {
    (AudioEncoding.G711_ULAW, AudioEncoding.PCM16): g711.ulaw_to_pcm16,
    (AudioEncoding.G711_ALAW, AudioEncoding.PCM16): g711.alaw_to_pcm16,
    (AudioEncoding.G711_ULAW, AudioEncoding.G711_ALAW): g711.ulaw_to_alaw,
    (AudioEncoding.G711_ALAW, AudioEncoding.G711_ULAW): g711.alaw_to_ulaw,
}
