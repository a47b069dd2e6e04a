"""What is told of a transfer."""

from __future__ import annotations

import pytest

from bridge.wire.sip.actions import DtmfPressed, TransferDone


@pytest.mark.parametrize(("status", "good"), [(200, True), (202, True), (486, False), (180, False)])
def test_a_transfer_succeeds_with_2xx(status: int, good: bool) -> None:
    assert TransferDone("call", status).succeeded is good


def test_keys_are_not_printed() -> None:
    assert "7" not in repr(DtmfPressed("call", "7", 100))
