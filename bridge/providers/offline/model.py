"""
The offline provider: nothing to pay, to download or to connect to.

Its agent hears when the caller speaks, understands keys, calls tools, remembers, and
speaks with recorded phrases. Every voice is taken for its only one.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from pathlib import Path

from bridge.audio.formats import (
    ALAW_8K,
    PCM16_8K,
    PCM16_16K,
    PCM16_24K,
    ULAW_8K,
    AudioEncoding,
    AudioFormat,
)
from bridge.errors import AudioFormatError, ConnectError
from bridge.ports.model import Memory, Resumption
from bridge.ports.session import RealtimeConfig
from bridge.providers.offline.clips import Clips, recorded
from bridge.providers.offline.dialogue import BUILT_IN
from bridge.providers.offline.remembered import Remembered, read_token, recalled
from bridge.providers.offline.session import Manners, OfflineSession
from bridge.providers.offline.speaking import PACE
from bridge.providers.offline.synthesiser import Synthesiser
from bridge.providers.offline.voice import Vocabulary

__all__ = ["OfflineModel"]

FORMATS = (ULAW_8K, ALAW_8K, PCM16_8K, PCM16_16K, PCM16_24K)


class OfflineModel:
    """
    A RealtimeModel in this process. How it behaves can be chosen, so that every way of
    dealing with a provider can be tried.

    `native_updates`: whether a live session can be changed. `resumable`: whether sessions
    give resume tokens and take them. `lifetime`: seconds after which a session ends,
    announced `warning` seconds before. `pace`: seconds between two deltas of 100 ms.
    `pcm_rate`: what PCM16 means, 8000, 16000 or 24000 Hz. With `synthesise`, words without
    a recording are said by the program `flite` where it is installed. `prompts`: a folder
    of other recordings (see bridge.providers.offline.clips).
    """

    supports_realtime = True
    responds_to_tools = False
    tells_speech = True
    available_voices: Sequence[str] = ("offline",)

    def __init__(
        self,
        *,
        native_updates: bool = True,
        resumable: bool = True,
        overlaps_sessions: bool = True,
        lifetime: float | None = None,
        warning: float = 10.0,
        pace: float = PACE,
        pcm_rate: int = PCM16_24K.sample_rate,
        synthesise: bool = True,
        prompts: Path | None = None,
    ) -> None:
        """Raises OSError when `prompts` cannot be read, AudioFormatError for another rate."""
        self._manners = Manners(native_updates, resumable, pace, lifetime, warning)
        self._overlaps_sessions = overlaps_sessions
        self._formats = {**_G711, AudioEncoding.PCM16: _pcm16(pcm_rate)}
        self._synthesiser = Synthesiser.find() if synthesise else None
        self._vocabulary = Vocabulary(Clips.load(prompts) if prompts else recorded())
        self._refusals: deque[ConnectError] = deque()

    @property
    def provider(self) -> str:
        return "offline"

    @property
    def model_id(self) -> str:
        return "offline"

    @property
    def supported_input_formats(self) -> Sequence[AudioFormat]:
        """G.711, and PCM16 at the one rate that it means here."""
        return tuple(self._formats.values())

    @property
    def supported_output_formats(self) -> Sequence[AudioFormat]:
        return tuple(self._formats.values())

    @property
    def overlaps_sessions(self) -> bool:
        return self._overlaps_sessions

    def refuse(self, *errors: ConnectError) -> None:
        """Let the next connects fail, one by one, with these errors."""
        self._refusals.extend(errors)

    async def connect(
        self, config: RealtimeConfig, resumption: Resumption | None = None
    ) -> OfflineSession:
        if self._refusals:
            raise self._refusals.popleft()
        remembered, memory = self._remember(resumption or Resumption())
        return OfflineSession(
            config,
            formats=(
                self._formats[config.input_audio_format or AudioEncoding.G711_ULAW],
                self._formats[config.output_audio_format or AudioEncoding.G711_ULAW],
            ),
            vocabulary=self._vocabulary,
            synthesiser=self._synthesiser,
            remembered=remembered,
            memory=memory,
            manners=self._manners,
        )

    def _remember(self, resumption: Resumption) -> tuple[Remembered, Memory]:
        if self._manners.resumable and resumption.token is not None:
            return read_token(resumption.token), Memory.NATIVE
        if resumption.history:
            return recalled(resumption.history, BUILT_IN), Memory.REPLAYED
        return Remembered(), Memory.NONE


_G711 = {AudioEncoding.G711_ULAW: ULAW_8K, AudioEncoding.G711_ALAW: ALAW_8K}


def _pcm16(rate: int) -> AudioFormat:
    pcm16 = AudioFormat(rate)
    if pcm16 not in FORMATS:
        raise AudioFormatError(f"the offline agent does not speak at {rate} Hz")
    return pcm16
