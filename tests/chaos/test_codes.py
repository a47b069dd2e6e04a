"""Numbers come through as they were said, and parts of them do not become others."""

from __future__ import annotations

import numpy as np
import pytest

from bridge.audio.resample import Resampler
from tests.chaos import codes


@pytest.mark.parametrize(("caller", "turn"), [(0, 1), (0, 2), (39, 40), (39, 3), (99, 100)])
def test_an_utterance_is_understood(caller: int, turn: int) -> None:
    """Wherever in the stream it begins."""
    for offset in (0, 100, 333):
        audio = b"\xff" * offset + codes.utterance(caller, turn) + b"\xff" * 900

        assert codes.understand(codes.samples_of_ulaw(audio), 8_000) == (caller, turn)


def test_after_resampling_too() -> None:
    up = Resampler(8_000, 16_000)
    narrow = codes.samples_of_ulaw(codes.utterance(39, 40)).astype("<i2").tobytes()
    samples = np.frombuffer(up.feed(narrow) + up.flush(), "<i2").astype(np.float64)

    assert codes.understand(samples, 16_000) == (39, 40)


def test_a_part_is_not_understood() -> None:
    """Without its beginning, or without its end."""
    audio = codes.utterance(5, 6)

    assert codes.understand(codes.samples_of_ulaw(audio[-2_000:]), 8_000) is None
    assert codes.understand(codes.samples_of_ulaw(audio[:2_000]), 8_000) is None
    assert codes.understand(np.zeros(8_000), 8_000) is None
