"""
Whose turn it is, as the session's turn detection is configured.

Rule: pure, as the ears are. Without turn detection the caller's audio is gathered until
somebody commits it.
"""

from __future__ import annotations

from bridge.audio.formats import AudioFormat
from bridge.ports.session import VadConfig, VadMode
from bridge.providers.offline.ears import (
    SILENCE_MS,
    STRICTNESS,
    Ears,
    EarsEvent,
    Started,
    Stopped,
)

__all__ = ["LEAST_COMMIT_MS", "Listening"]

LEAST_COMMIT_MS = 100
_EAGER_MS = {"low": 1200, "medium": 700, "high": 400}
_LENIENT, _STRICT = 0.3, 0.7  # thresholds below and above which the detector is set otherwise


class Listening:
    """The ears of one session, and the audio that was not committed yet."""

    def __init__(self, format: AudioFormat, vad: VadConfig | None) -> None:
        self._ears = Ears(format)
        self._committed_ms = 0
        self.configure(vad)

    def configure(self, vad: VadConfig | None) -> None:
        """Listen in this way from now on; None is the same as VadConfig()."""
        self._vad = vad or VadConfig()
        self._ears.tune(silence_ms=_silence_ms(self._vad), strictness=_strictness(self._vad))

    @property
    def automatic(self) -> bool:
        """Whether turns begin and end by themselves."""
        return self._vad.mode is not VadMode.NONE

    @property
    def interrupts(self) -> bool:
        """Whether the caller's voice cuts off the agent's."""
        return self._vad.interrupt_response is not False

    def hear(self, audio: bytes) -> tuple[EarsEvent, ...]:
        """What these bytes reveal of the caller's turns; nothing where turns are by hand."""
        events = self._ears.hear(audio)
        if not self.automatic:
            return ()
        if any(isinstance(found, Stopped) for found in events):
            self._committed_ms = self._ears.heard_ms
        return tuple(map(self._padded, events))

    def commit(self) -> float | None:
        """The seconds of audio since the last commit; None: too little for a turn."""
        uncommitted_ms = self._ears.heard_ms - self._committed_ms
        if uncommitted_ms < LEAST_COMMIT_MS:
            return None
        self.clear()
        return uncommitted_ms / 1000

    def clear(self) -> None:
        """Forget what was not committed, and a turn that had begun."""
        self._committed_ms = self._ears.heard_ms
        self._ears.forget()

    def _padded(self, happened: EarsEvent) -> EarsEvent:
        padding = self._vad.prefix_padding_ms
        if isinstance(happened, Started) and padding:
            return Started(max(0, happened.start_ms - padding))
        return happened


def _silence_ms(vad: VadConfig) -> int:
    if vad.silence_duration_ms is not None:
        return vad.silence_duration_ms
    if vad.mode is VadMode.SEMANTIC_VAD:
        return _EAGER_MS.get(vad.eagerness or "", _EAGER_MS["medium"])
    return SILENCE_MS


def _strictness(vad: VadConfig) -> int:
    threshold = vad.threshold
    if threshold is None or _LENIENT <= threshold <= _STRICT:
        return STRICTNESS
    return STRICTNESS - 1 if threshold < _LENIENT else STRICTNESS + 1
