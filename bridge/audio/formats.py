"""How audio is written down: encodings, formats and a piece of audio in one of them."""

from __future__ import annotations

import base64
from dataclasses import dataclass
from enum import StrEnum

from bridge.errors import AudioFormatError

__all__ = [
    "ALAW_8K",
    "PCM16_8K",
    "PCM16_16K",
    "PCM16_24K",
    "ULAW_8K",
    "AudioChunk",
    "AudioEncoding",
    "AudioFormat",
]


class AudioEncoding(StrEnum):
    """How one sample is written."""

    PCM16 = "pcm16"
    """Signed 16-bit little-endian."""
    G711_ULAW = "g711_ulaw"
    G711_ALAW = "g711_alaw"

    @property
    def bytes_per_sample(self) -> int:
        return 2 if self is AudioEncoding.PCM16 else 1


@dataclass(frozen=True, slots=True)
class AudioFormat:
    """Mono audio: samples a second, and how each is written."""

    sample_rate: int
    encoding: AudioEncoding = AudioEncoding.PCM16

    def __post_init__(self) -> None:
        if self.sample_rate <= 0:
            raise AudioFormatError(f"a sample rate of {self.sample_rate} Hz makes no sound")

    @property
    def bytes_per_second(self) -> int:
        return self.sample_rate * self.encoding.bytes_per_sample

    def silent(self, size: int) -> bytes:
        """Silence of so many bytes, or less where the last sample would not be whole."""
        return self.silence * (size // self.encoding.bytes_per_sample)

    @property
    def silence(self) -> bytes:
        """One sample of silence (mu-law 0xFF, A-law 0xD5, PCM 0)."""
        match self.encoding:
            case AudioEncoding.PCM16:
                return b"\x00\x00"
            case AudioEncoding.G711_ULAW:
                return b"\xff"
            case AudioEncoding.G711_ALAW:
                return b"\xd5"

    def duration_ms(self, size: int) -> float:
        """How long `size` bytes last, in milliseconds."""
        return size * 1000 / self.bytes_per_second

    def size(self, duration_ms: float) -> int:
        """How many bytes `duration_ms` take, in whole samples."""
        width = self.encoding.bytes_per_sample
        return int(self.sample_rate * duration_ms / 1000) * width


PCM16_8K = AudioFormat(8_000)
PCM16_16K = AudioFormat(16_000)
PCM16_24K = AudioFormat(24_000)
ULAW_8K = AudioFormat(8_000, AudioEncoding.G711_ULAW)
ALAW_8K = AudioFormat(8_000, AudioEncoding.G711_ALAW)


@dataclass(frozen=True, slots=True)
class AudioChunk:
    """Some audio in a known format. Raises AudioFormatError when a sample is cut in two."""

    data: bytes
    format: AudioFormat = PCM16_24K

    def __post_init__(self) -> None:
        if len(self.data) % self.format.encoding.bytes_per_sample:
            raise AudioFormatError("a 16-bit sample is cut in two: the number of bytes is odd")

    @property
    def duration_ms(self) -> float:
        return self.format.duration_ms(len(self.data))

    def to_base64(self) -> str:
        return base64.b64encode(self.data).decode("ascii")

    @classmethod
    def from_base64(cls, text: str, format: AudioFormat = PCM16_24K) -> AudioChunk:
        """Raises AudioFormatError when `text` is not base64."""
        try:
            return cls(base64.b64decode(text, validate=True), format)
        except ValueError:  # also of a character that is not even ASCII
            raise AudioFormatError("the audio is not valid base64") from None
