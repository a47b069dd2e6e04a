"""Which audio format the model is spoken to in."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from bridge.audio.formats import AudioEncoding, AudioFormat
from bridge.errors import ConfigError
from bridge.ports.model import RealtimeModel
from bridge.ports.session import RealtimeConfig

__all__ = ["AudioPath", "negotiate"]

CARRIER_MS = 20  # of audio in each message of a carrier's


@dataclass(frozen=True, slots=True)
class AudioPath:
    """The formats on the way: the leg's, and the session's for either direction."""

    leg: AudioFormat
    model_in: AudioFormat
    model_out: AudioFormat
    append_ms: int = 0
    """How much of the caller's audio goes to the model at once; 0: as it comes."""

    def configure(self, config: RealtimeConfig) -> RealtimeConfig:
        return replace(
            config,
            input_audio_format=self.model_in.encoding,
            output_audio_format=self.model_out.encoding,
        )


def negotiate(
    model: RealtimeModel, leg: AudioFormat, wish: str, append_ms: int = CARRIER_MS
) -> AudioPath:
    """
    `wish` is auto, pcm16 or g711. Auto takes the leg's own format where the model speaks
    it, so that nothing is decoded on the way. Raises ConfigError where g711 is not to be had.
    """
    return AudioPath(
        leg,
        _choose(model.supported_input_formats, leg, wish),
        _choose(model.supported_output_formats, leg, wish),
        append_ms if append_ms > CARRIER_MS else 0,
    )


def _choose(offered: Sequence[AudioFormat], leg: AudioFormat, wish: str) -> AudioFormat:
    if wish != "pcm16" and leg in offered:
        return leg
    if wish == "g711":
        raise ConfigError("BRIDGE_AUDIO=g711, but this model does not speak the carrier's G.711")
    linear = [each for each in offered if each.encoding is AudioEncoding.PCM16]
    if not linear:
        raise ConfigError("the model offers no format that the bridge can turn the call into")
    return linear[0]
