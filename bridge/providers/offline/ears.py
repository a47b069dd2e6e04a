"""
When the caller begins to speak and when they have finished.

Rule: pure. Time is the audio itself: every position is in milliseconds of what was heard.

WebRTC's voice activity detector judges each 20 ms. It takes loud noise, hum, tones and keys
for speech, and so it must be loud against the line's noise as well, have the pitch of a
voice, and change as a voice does. Neither a click nor a pause between words turns the verdict.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass

import webrtcvad

from bridge.audio.formats import PCM16_8K, AudioFormat
from bridge.audio.frames import Framer
from bridge.audio.transcode import transcoder
from bridge.providers.offline.spectra import FRAME_MS, Spectra

__all__ = ["Ears", "EarsEvent", "Started", "Stopped"]

SILENCE_MS = 500  # after which a turn is over
STRICTNESS = 2  # of WebRTC's detector, 0 to 3

_ONSET_FRAMES = 3  # of the last _ONSET_WINDOW that are voiced make a beginning
_ONSET_WINDOW = 5
_LEAD_FRAMES = 10  # at most, that were only loud belong to the beginning: its consonant
_LOWEST_DB = -50.0  # of full scale: below this nobody speaks
_ABOVE_NOISE_DB = 9.0
_QUIETEST_NOISE_DB, _LOUDEST_NOISE_DB = -70.0, -25.0
_FALL_DB = 3.0  # a frame, at most: noise is learnt from the gaps between words
_RISE_DB, _SPEECH_RISE_DB = 0.5, 0.03  # without and with what the detector calls speech
_PITCH = 0.66  # of a frame's power repeats in a voice's period; a hiss has half of that
_CHANGE = 0.25  # of a voice's spectrum is elsewhere 40 ms later; a tone or hum stands still
_KEY = 0.7  # of the power is on the two frequencies of one key


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
        self._spectra = Spectra()
        self._noise_db = _LOWEST_DB
        self._voiced: deque[bool] = deque(maxlen=_ONSET_WINDOW)
        self._loud_frames = 0
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
        self._voiced.clear()
        self._started_ms = None

    def _judge(self, frame: bytes) -> EarsEvent | None:
        self.heard_ms += FRAME_MS
        self._voiced.append(self._is_voiced(frame))
        return self._while_silent() if self._started_ms is None else self._while_speaking()

    def _while_silent(self) -> Started | None:
        if sum(self._voiced) < _ONSET_FRAMES:
            return None
        voiced_frames = len(self._voiced) - self._voiced.index(True)
        frames = max(voiced_frames, min(self._loud_frames, _LEAD_FRAMES))
        self._started_ms = self.heard_ms - frames * FRAME_MS
        self._voice_ms = self.heard_ms
        return Started(self._started_ms)

    def _while_speaking(self) -> Stopped | None:
        assert self._started_ms is not None
        if self._voiced[-1]:
            self._voice_ms = self.heard_ms
        if self.heard_ms - self._voice_ms < self._silence_ms:
            return None
        speech_ms = self._voice_ms - self._started_ms
        self.forget()
        return Stopped(self.heard_ms, speech_ms)

    def _is_voiced(self, frame: bytes) -> bool:
        look = self._spectra.look(frame)
        detected = self._detector.is_speech(frame, PCM16_8K.sample_rate)
        loud = look.level_db > max(self._noise_db + _ABOVE_NOISE_DB, _LOWEST_DB)
        self._loud_frames = self._loud_frames + 1 if loud else 0
        self._learn_noise(look.level_db, detected)
        pitched = look.pitch > _PITCH and look.change > _CHANGE
        return detected and loud and pitched and look.key < _KEY

    def _learn_noise(self, level_db: float, detected: bool) -> None:
        rise = _SPEECH_RISE_DB if detected else _RISE_DB
        step = min(max(level_db - self._noise_db, -_FALL_DB), rise)
        self._noise_db = min(max(self._noise_db + step, _QUIETEST_NOISE_DB), _LOUDEST_NOISE_DB)
