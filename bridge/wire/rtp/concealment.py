"""
What is played where a packet is missing.

Speech repeats itself: the last period of the voice goes on in a loop, whole for 10 ms and
fading away until 60 ms, and the first real samples are blended in. ITU-T G.711 Appendix I
does the same with more care, and 3.75 ms later.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from bridge.audio import g711
from bridge.audio.formats import AudioFormat
from bridge.wire.rtp.payloads import law

__all__ = ["HISTORY", "Concealer"]

HISTORY = 200  # samples that are looked at: the window, and the longest period before it

_SHORTEST, _LONGEST = 40, 120  # samples of a period: 200 to 67 Hz
_WINDOW = 80  # samples that are compared
_WHOLE = 80  # samples before it fades
_FADING = 400  # samples until it is gone
_BLENDED_LEAST, _BLENDED_MOST = 32, 80  # samples in which the real sound comes back
_SAMPLE = np.dtype("<i2")

_Samples = npt.NDArray[np.float64]


class Concealer:
    """One loss after another, in the G.711 of `format`."""

    __slots__ = ("_decode", "_encode", "_loop", "_made", "_silence", "_step", "active")

    def __init__(self, format: AudioFormat) -> None:
        ulaw = law(format) == "u"
        self._decode = g711.ulaw_to_pcm16 if ulaw else g711.alaw_to_pcm16
        self._encode = g711.pcm16_to_ulaw if ulaw else g711.pcm16_to_alaw
        self._silence = format.silence
        self._loop: _Samples = np.zeros(_SHORTEST)
        self._step = 0.0
        self._made = 0
        self.active = False
        """Whether what was played last was made up."""

    @property
    def exhausted(self) -> bool:
        """Whether it has faded to silence."""
        return self.active and self._made >= _WHOLE + _FADING

    def conceal(self, history: bytes, size: int) -> bytes:
        """`size` samples that go on from `history`, or from what was made up before."""
        if not self.active:
            self._begin(self._samples(history))
        if self.exhausted:
            return self._silence * size
        return self._bytes(self._more(size))

    def rejoin(self, audio: bytes) -> bytes:
        """The first real samples after a loss, blended with what goes on until them."""
        size = min(max(self._made // 8, _BLENDED_LEAST), _BLENDED_MOST, len(audio))
        made = self._more(size)
        self.active = False
        real = self._samples(audio[:size])
        return self._bytes(_blended(made, real)) + audio[size:]

    def splice(self, before: bytes, after: bytes) -> bytes:
        """As long as both, going over from the one to the other."""
        return self._bytes(_blended(self._samples(before), self._samples(after)))

    def _begin(self, past: _Samples) -> None:
        past = np.concatenate((np.zeros(max(HISTORY - len(past), 0)), past))
        period = _period(past)
        seam = period // 4
        loop = past[-period:].copy()
        loop[-seam:] = _blended(loop[-seam:], past[-period - seam : -period])
        self._loop = loop
        self._step = float(past[-1] - past[-period - 1])
        self._made = 0
        self.active = True

    def _more(self, size: int) -> _Samples:
        at = np.arange(self._made, self._made + size)
        made: _Samples = self._loop[at % len(self._loop)]
        if self._made == 0:
            # Where the loop is joined on, it starts from the sample that was played last.
            seam = min(len(self._loop) // 4, size)
            made[:seam] += self._step * (1 - (np.arange(seam) + 1) / (seam + 1))
        self._made += size
        loudness: _Samples = np.clip(1 - (at - _WHOLE) / _FADING, 0.0, 1.0)
        return made * loudness

    def _samples(self, audio: bytes) -> _Samples:
        return np.frombuffer(self._decode(audio), _SAMPLE).astype(np.float64)

    def _bytes(self, samples: _Samples) -> bytes:
        whole = np.clip(np.rint(samples), -32_768, 32_767).astype(_SAMPLE)
        return self._encode(whole.tobytes())


def _period(past: _Samples) -> int:
    """How many samples back the sound was most like the last 10 ms."""
    recent = past[-_WINDOW:]
    windows = np.lib.stride_tricks.sliding_window_view(past, _WINDOW)
    last = len(past) - _WINDOW
    earlier = windows[last - _LONGEST : last - _SHORTEST + 1]
    energy = np.sqrt(np.einsum("ij,ij->i", earlier, earlier)) + 1.0
    likeness = earlier @ recent / energy
    return _LONGEST - int(np.argmax(likeness))


def _blended(before: _Samples, after: _Samples) -> _Samples:
    rising = (np.arange(len(after)) + 1) / (len(after) + 1)
    blended: _Samples = before * (1 - rising) + after * rising
    return blended
