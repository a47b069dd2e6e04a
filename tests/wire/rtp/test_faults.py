"""What is wrong with a datagram, in a word."""

from __future__ import annotations

from bridge.errors import CarrierProtocolError
from bridge.wire.rtp.faults import Reason, RtpError


def test_a_fault_is_a_breach_in_one_word() -> None:
    """Fit for a counter's label."""
    error = RtpError(Reason.SHORT)

    assert isinstance(error, CarrierProtocolError)
    assert str(error) == "short"
