"""What the numbers in packets mean."""

from __future__ import annotations

import pytest

from bridge.audio.formats import ALAW_8K, PCM16_8K, ULAW_8K
from bridge.wire.rtp.payloads import Payloads, law


def test_the_two_laws() -> None:
    """Nothing else is carried."""
    assert (law(ULAW_8K), law(ALAW_8K)) == ("u", "a")
    with pytest.raises(ValueError, match=r"G\.711"):
        law(PCM16_8K)


def test_the_numbers_of_rfc_3551() -> None:
    """Hold without an agreement."""
    assert Payloads().audio == {0: ULAW_8K, 8: ALAW_8K}
    assert Payloads().noise == {13}
