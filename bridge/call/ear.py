"""
Whether the caller is speaking, by the loudness of what comes: for models that do not tell.

It stops nobody's speech. It is there for whoever goes on with a call whose leg is lost, and for
the time that a caller waits for an answer; so a noise that is taken for speech does little harm.
"""

from __future__ import annotations

from bridge.audio.formats import AudioEncoding, AudioFormat
from bridge.audio.g711 import alaw_to_pcm16, ulaw_to_pcm16

__all__ = ["Ear"]

LOUD = 0.012  # of full scale, the mean size of a sample: -38 dB; speech on a line has some -25
BEGIN_MS = 60.0  # of loud audio make a beginning
END_MS = 400.0  # without any make an end

_STEPS = 255  # of loudness
_ROOT = 0.5  # soft sounds are told apart more finely than loud ones
_LOUD_STEP = _STEPS * LOUD**_ROOT


class Ear:
    """Hears G.711 of one format; other audio is not listened to."""

    def __init__(self, format: AudioFormat) -> None:
        self._format = format
        self._sizes = _SIZES.get(format.encoding)
        self._loud_ms = self._quiet_ms = 0.0
        self.speaking = False

    def hear(self, audio: bytes) -> bool:
        """Whether somebody has begun to speak, or has stopped."""
        if self._sizes is None or not audio:
            return False
        ms = self._format.duration_ms(len(audio))
        if sum(audio.translate(self._sizes)) >= _LOUD_STEP * len(audio):
            self._loud_ms, self._quiet_ms = self._loud_ms + ms, 0.0
        else:
            self._quiet_ms += ms
            if self._quiet_ms >= END_MS or not self.speaking:
                self._loud_ms = 0.0
        speaking = self._loud_ms >= BEGIN_MS
        changed = speaking is not self.speaking
        self.speaking = speaking
        return changed


def _table(pcm16: bytes) -> bytes:
    """The size of each code's sample."""
    samples = memoryview(pcm16).cast("h")
    return bytes(round(_STEPS * (abs(each) / 0x8000) ** _ROOT) for each in samples)


_EVERY_CODE = bytes(range(256))
_SIZES = {
    AudioEncoding.G711_ULAW: _table(ulaw_to_pcm16(_EVERY_CODE)),
    AudioEncoding.G711_ALAW: _table(alaw_to_pcm16(_EVERY_CODE)),
}
