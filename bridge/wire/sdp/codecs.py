"""Payload types of a media description: rtpmap, fmtp and RFC 3551's own numbers."""

from __future__ import annotations

import re
from dataclasses import dataclass

from bridge.audio.formats import ALAW_8K, ULAW_8K, AudioFormat
from bridge.wire.sdp.description import Media, values
from bridge.wire.sdp.faults import Reason, SdpError

__all__ = ["EVENTS", "NOISE", "Codec", "codec_of", "number_of", "read_codecs"]

EVENTS = "telephone-event"
NOISE = "CN"

_RATE = 8_000
_MAX_PAYLOAD_TYPE = 127
_STATIC = {0: "PCMU", 8: "PCMA", 13: NOISE}
_FORMATS = {"PCMU": ULAW_8K, "PCMA": ALAW_8K}
_NUMBER = re.compile(r"[0-9]{1,3}")
_RTPMAP = re.compile(r"([0-9]{1,3}) +([!-.0-~]+)/([0-9]{1,6})(?:/([0-9]{1,3}))? *")


@dataclass(frozen=True, slots=True)
class Codec:
    """
    What a payload type means. `name` is upper-case but for `telephone-event`, and "" where
    the number is unknown.
    """

    payload_type: int
    name: str
    rate: int
    channels: int = 1

    @property
    def format(self) -> AudioFormat | None:
        """Our format for it; None for what we do not speak."""
        narrow = self.rate == _RATE and self.channels == 1
        return _FORMATS.get(self.name) if narrow else None

    @property
    def is_events(self) -> bool:
        return self.name == EVENTS and self.rate == _RATE

    @property
    def is_noise(self) -> bool:
        return self.name == NOISE and self.rate == _RATE


def read_codecs(media: Media) -> list[Codec]:
    """The codecs of an RTP media in the order of its m-line. Raises SdpError."""
    maps = dict(_read_map(value) for value in values(media.attributes, "rtpmap"))
    return [_codec(number, maps) for number in dict.fromkeys(media.formats)]


def codec_of(format: AudioFormat) -> str:
    """How SDP calls a format of ours: PCMU or PCMA."""
    return next(name for name, known in _FORMATS.items() if known == format)


def number_of(format: AudioFormat) -> int:
    """The payload type that RFC 3551 gives to a format of ours."""
    return next(number for number, name in _STATIC.items() if _FORMATS.get(name) == format)


def _read_map(value: str) -> tuple[int, Codec]:
    match = _RTPMAP.fullmatch(value)
    if match is None or int(match[1]) > _MAX_PAYLOAD_TYPE:
        raise SdpError(Reason.RTPMAP)
    name = EVENTS if match[2].lower() == EVENTS else match[2].upper()
    number = int(match[1])
    return number, Codec(number, name, int(match[3]), int(match[4] or 1))


def _codec(text: str, maps: dict[int, Codec]) -> Codec:
    if not _NUMBER.fullmatch(text) or int(text) > _MAX_PAYLOAD_TYPE:
        raise SdpError(Reason.MEDIA)
    number = int(text)
    return maps.get(number) or Codec(number, _STATIC.get(number, ""), _RATE)
