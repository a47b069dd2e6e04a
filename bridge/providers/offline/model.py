"""The offline model: an agent in this process, with no key, no network and no download."""

from __future__ import annotations

from collections.abc import Sequence

from bridge.audio.formats import ALAW_8K, PCM16_24K, ULAW_8K, AudioEncoding, AudioFormat
from bridge.errors import ResumptionRefused
from bridge.ports.model import Resumption
from bridge.ports.session import RealtimeConfig
from bridge.providers.offline.session import OfflineSession

__all__ = ["OfflineModel"]

_FORMATS = {
    AudioEncoding.G711_ULAW: ULAW_8K,
    AudioEncoding.G711_ALAW: ALAW_8K,
    AudioEncoding.PCM16: PCM16_24K,
}


class OfflineModel:
    """
    `native_updates`: whether a live session takes changes, or a new one has to take over.
    `overlaps_sessions`: whether that one may be there before the old one is gone.
    """

    provider = "offline"
    model_id = "scripted"
    supports_realtime = True
    responds_to_tools = False
    available_voices: Sequence[str] = ("offline",)
    supported_input_formats: Sequence[AudioFormat] = tuple(_FORMATS.values())
    supported_output_formats: Sequence[AudioFormat] = tuple(_FORMATS.values())

    def __init__(self, *, native_updates: bool = True, overlaps_sessions: bool = True) -> None:
        self.native_updates = native_updates
        self.overlaps_sessions = overlaps_sessions

    async def connect(
        self, config: RealtimeConfig, resumption: Resumption | None = None
    ) -> OfflineSession:
        """A session that is ready. Raises ResumptionRefused for a token that is not its own."""
        session = OfflineSession(
            config,
            input_format=_format(config.input_audio_format),
            output_format=_format(config.output_audio_format),
            native_updates=self.native_updates,
        )
        if resumption is not None and resumption.token is not None:
            try:
                session.resume(resumption.token)
            except ValueError:
                raise ResumptionRefused("the token is not one of the offline agent's") from None
        elif resumption is not None and resumption.history:
            session.recall(resumption.history)
        return session


def _format(encoding: AudioEncoding | None) -> AudioFormat:
    if encoding is None:
        return ULAW_8K
    return _FORMATS[encoding]
