"""What is wrong with a session description, or with what it asks for."""

from __future__ import annotations

from enum import StrEnum

from bridge.errors import CarrierError, CarrierProtocolError

__all__ = ["NotAcceptable", "Reason", "Refusal", "SdpError"]


class Reason(StrEnum):
    """A word for counters; none of them repeats what was sent."""

    HUGE = "huge"
    NOT_TEXT = "not-text"
    LINE = "line"
    VERSION = "version"
    ORIGIN = "origin"
    CONNECTION = "connection"
    MEDIA = "media"
    TIME = "time"
    TOO_MANY = "too-many"
    RTPMAP = "rtpmap"
    UNASKED = "unasked"
    """An answer to no offer, or one that does not fit its offer."""


class SdpError(CarrierProtocolError):
    """A description that RFC 8866 or RFC 3264 does not allow. SIP answers it with 400."""

    def __init__(self, reason: Reason) -> None:
        super().__init__(reason)
        self.reason = reason


class Refusal(StrEnum):
    """Why a well-formed description cannot become a call."""

    NO_AUDIO = "no-audio"
    ENCRYPTED = "encrypted"
    TRANSPORT = "transport"
    CODEC = "codec"
    ADDRESS = "address"


_WORDS: dict[Refusal, tuple[int, str]] = {
    Refusal.NO_AUDIO: (304, "No audio is offered; this end takes telephone audio only"),
    Refusal.ENCRYPTED: (302, "SRTP is not supported; offer RTP/AVP"),
    Refusal.TRANSPORT: (302, "Audio is taken over RTP/AVP on UDP only"),
    Refusal.CODEC: (305, "Neither PCMU nor PCMA at 8000 Hz is offered"),
    Refusal.ADDRESS: (301, "Audio cannot be sent to the address that is offered"),
}


class NotAcceptable(CarrierError):
    """
    What is offered (or answered) is well-formed and cannot be used. SIP answers an offer
    with 488; `code` and the error's text make a Warning header (RFC 3261 section 20.43).
    """

    def __init__(self, refusal: Refusal) -> None:
        self.code, words = _WORDS[refusal]
        super().__init__(words)
        self.refusal = refusal
