"""What is wrong with what a SIP peer sent, and what it is told about it."""

from __future__ import annotations

from enum import StrEnum

from bridge.errors import CarrierProtocolError

__all__ = ["Reason", "SipProtocolError"]


class Reason(StrEnum):
    """A word for counters; none of them repeats what was sent."""

    EMPTY = "empty"
    HUGE = "huge"
    START_LINE = "start_line"
    VERSION = "version"
    HEADER = "header"
    TOO_MANY_HEADERS = "too_many_headers"
    MISSING = "missing_header"
    REPEATED = "repeated_header"
    LENGTH = "content_length"
    ADDRESS = "address"
    URI = "uri"
    VIA = "via"
    CSEQ = "cseq"
    CREDENTIALS = "credentials"


class SipProtocolError(CarrierProtocolError):
    """
    A message that RFC 3261 does not allow. `status` is what its sender is told, if it was a
    request that says where its answer goes.
    """

    def __init__(self, reason: Reason, status: int = 400) -> None:
        super().__init__(reason)
        self.reason = reason
        self.status = status
