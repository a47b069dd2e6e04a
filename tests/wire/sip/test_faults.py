"""What a peer did wrong is the carrier's fault and has a status."""

from __future__ import annotations

from bridge.errors import CarrierProtocolError, Fault
from bridge.wire.sip.faults import Reason, SipProtocolError


def test_a_fault_is_the_carriers() -> None:
    fault = SipProtocolError(Reason.VERSION, 505)

    assert isinstance(fault, CarrierProtocolError)
    assert (fault.fault, fault.reason, fault.status) == (Fault.CARRIER, Reason.VERSION, 505)
    assert str(fault) == "version"
