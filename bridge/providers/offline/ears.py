"""
When the caller begins to speak and when they have finished.

Rule: pure. Time is the audio itself: every position is in milliseconds of what was heard.

WebRTC's voice activity detector judges each 20 ms. It takes keys, tones and loud hum for
speech now and then; a level that follows the line's noise and a look at the spectrum
overrule it. Neither a click nor a pause between words turns the verdict.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import webrtcvad

from bridge.audio.formats import PCM16_8K, AudioFormat
from bridge.audio.frames import Framer
from bridge.audio.transcode import transcoder

__all__ = ["Ears", "EarsEvent", "Started", "Stopped"]

FRAME_MS = 20
SILENCE_MS = 500  # after which a turn is over
STRICTNESS = 2  # of WebRTC's detector, 0 to 3

_ONSET_FRAMES = 4  # of the last _ONSET_WINDOW that are speech make a beginning
_ONSET_WINDOW = 5
_STEADY_FRAMES = 2  # in a row; a single one does not prolong a turn
_LOWEST_DB = -50.0  # of full scale: below this nobody speaks
_ABOVE_NOISE_DB = 9.0
_QUIETEST_NOISE_DB, _LOUDEST_NOISE_DB = -70.0, -25.0
_FALL_DB = 3.0  # per frame, at most: noise is learnt from the gaps between words
_RISE_DB, _SPEECH_RISE_DB = 0.5, 0.03  # without and with what the detector calls speech
_BAND = slice(4, 70)  # bins of 50 Hz: above the mains' hum, within the telephone's band
_TONAL = 0.86  # of the power in two narrow peaks: a key or a tone, and no vowel


@dataclass(frozen=True, slots=True)
class Started:
    """The caller speaks, since `start_ms`."""

    start_ms: int


@dataclass(frozen=True, slots=True)
class Stopped:
    """The caller has been silent for long enough; they spoke for `speech_ms`."""

    end_ms: int
    speech_ms: int


EarsEvent = Started | Stopped


class Ears:
    """Listens to audio in `format`, however it is cut."""

    def __init__(
        self, format: AudioFormat, *, silence_ms: int = SILENCE_MS, strictness: int = STRICTNESS
    ) -> None:
        self._silence_ms = silence_ms
        self._detector = webrtcvad.Vad(strictness)
        self._transcoder = transcoder(format, PCM16_8K)
        self._framer = Framer(PCM16_8K.size(FRAME_MS))
        self._noise_db = _LOWEST_DB
        self._recent: deque[bool] = deque(maxlen=_ONSET_WINDOW)
        self._started_ms: int | None = None
        self._voice_ms = 0
        self.heard_ms = 0
        """How much audio there was so far."""

    @property
    def speaking(self) -> bool:
        """Whether the caller is in the middle of a turn."""
        return self._started_ms is not None

    def hear(self, audio: bytes) -> tuple[EarsEvent, ...]:
        """What these bytes reveal, in order."""
        found = [self._judge(frame) for frame in self._framer.feed(self._transcoder.feed(audio))]
        return tuple(event for event in found if event is not None)

    def tune(self, *, silence_ms: int, strictness: int) -> None:
        """Listen otherwise from now on, and go on with the turn that is under way."""
        self._silence_ms = silence_ms
        self._detector.set_mode(strictness)

    def forget(self) -> None:
        """Take what comes next for the beginning of something new."""
        self._recent.clear()
        self._started_ms = None

    def _judge(self, frame: bytes) -> EarsEvent | None:
        self.heard_ms += FRAME_MS
        self._recent.append(self._is_speech(frame))
        return self._while_silent() if self._started_ms is None else self._while_speaking()

    def _while_silent(self) -> Started | None:
        if not self._recent[-1] or sum(self._recent) < _ONSET_FRAMES:
            return None
        frames = len(self._recent) - self._recent.index(True)
        self._started_ms = self.heard_ms - frames * FRAME_MS
        self._voice_ms = self.heard_ms
        return Started(self._started_ms)

    def _while_speaking(self) -> Stopped | None:
        assert self._started_ms is not None
        if all(list(self._recent)[-_STEADY_FRAMES:]):
            self._voice_ms = self.heard_ms
        if self.heard_ms - self._voice_ms < self._silence_ms:
            return None
        speech_ms = self._voice_ms - self._started_ms
        self.forget()
        return Stopped(self.heard_ms, speech_ms)

    def _is_speech(self, frame: bytes) -> bool:
        power = _spectrum(frame)[_BAND]
        level_db = 10 * float(np.log10(power.sum() + 1e-12))
        detected = self._detector.is_speech(frame, PCM16_8K.sample_rate)
        loud = level_db > max(self._noise_db + _ABOVE_NOISE_DB, _LOWEST_DB)
        self._learn_noise(level_db, detected)
        return detected and loud and not _is_tonal(power)

    def _learn_noise(self, level_db: float, detected: bool) -> None:
        rise = _SPEECH_RISE_DB if detected else _RISE_DB
        step = min(max(level_db - self._noise_db, -_FALL_DB), rise)
        noise = self._noise_db + step
        self._noise_db = min(max(noise, _QUIETEST_NOISE_DB), _LOUDEST_NOISE_DB)


_SAMPLES = FRAME_MS * PCM16_8K.sample_rate // 1000
_WINDOW = np.hanning(_SAMPLES)
_FULL_SCALE = 32_768.0
# A frame of full-scale noise has a power of 1 over all bins.
_SCALE = 2.0 / (_SAMPLES * float((_WINDOW**2).sum()) * _FULL_SCALE**2)


def _spectrum(frame: bytes) -> npt.NDArray[np.float64]:
    samples = np.frombuffer(frame, "<i2") * _WINDOW
    power: npt.NDArray[np.float64] = np.abs(np.fft.rfft(samples)) ** 2 * _SCALE
    return power


def _is_tonal(power: npt.NDArray[np.float64]) -> bool:
    """Whether two peaks of three bins hold nearly all of the power."""
    rest = power.copy()
    peaks = 0.0
    for _ in range(2):
        top = int(rest.argmax())
        peak = slice(max(0, top - 1), top + 2)
        peaks += float(rest[peak].sum())
        rest[peak] = 0.0
    return peaks > _TONAL * float(power.sum())
