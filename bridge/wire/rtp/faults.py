"""What is wrong with a datagram."""

from __future__ import annotations

from enum import StrEnum

from bridge.errors import CarrierProtocolError

__all__ = ["Reason", "RtpError"]


class Reason(StrEnum):
    """A word for counters; none of them repeats what was sent."""

    SHORT = "short"
    HUGE = "huge"
    VERSION = "version"
    LENGTH = "length"
    PADDING = "padding"
    KIND = "kind"
    EVENT = "event"
    TEXT = "text"


class RtpError(CarrierProtocolError):
    """A datagram that RFC 3550 or RFC 4733 does not allow."""

    def __init__(self, reason: Reason) -> None:
        super().__init__(reason)
        self.reason = reason
