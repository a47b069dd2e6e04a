"""Refusals in plain words."""

from __future__ import annotations

import pytest

from bridge.errors import CarrierError, CarrierProtocolError, Fault
from bridge.wire.sdp.faults import NotAcceptable, Reason, Refusal, SdpError


@pytest.mark.parametrize("refusal", Refusal)
def test_a_refusal_makes_a_warning(refusal: Refusal) -> None:
    """A code of RFC 3261 section 20.43, and words that can stand in quotation marks."""
    error = NotAcceptable(refusal)

    assert isinstance(error, CarrierError)
    assert error.fault is Fault.CARRIER
    assert 300 <= error.code < 310
    assert str(error).isprintable()
    assert '"' not in str(error)


def test_srtp_is_refused_by_name() -> None:
    """Whoever offers it learns what to offer instead."""
    assert str(NotAcceptable(Refusal.ENCRYPTED)) == "SRTP is not supported; offer RTP/AVP"


def test_what_is_malformed_is_a_breach() -> None:
    """SIP answers it with 400."""
    assert isinstance(SdpError(Reason.LINE), CarrierProtocolError)
