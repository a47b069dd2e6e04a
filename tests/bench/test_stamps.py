"""The number in a caller's first frames."""

from __future__ import annotations

import pytest

from bridge.audio.formats import ALAW_8K, PCM16_16K, PCM16_24K, ULAW_8K, AudioFormat
from bridge.audio.transcode import transcoder
from bridge.bench.stamps import BITS, StampReader, write_stamp

NUMBERS = [0, 1, 299, 0x5555, 0xAAAA, 2**BITS - 1]


@pytest.mark.parametrize("format", [ULAW_8K, ALAW_8K, PCM16_16K, PCM16_24K])
@pytest.mark.parametrize("number", NUMBERS)
def test_a_stamp_survives_transcoding(format: AudioFormat, number: int) -> None:
    """Resampling and another codec leave it readable."""
    to = transcoder(ULAW_8K, format)
    reader = StampReader(format)

    read = [reader.feed(to.feed(frame)) for frame in (*write_stamp(number), bytes(160))]

    assert read[-1] == number


def test_however_it_is_cut() -> None:
    """A provider may be sent frames of any length."""
    audio = b"".join(write_stamp(777))
    reader = StampReader(ULAW_8K)

    read = [reader.feed(audio[start : start + 77]) for start in range(0, len(audio), 77)]

    assert set(read[:-1]) == {None}
    assert read[-1] == 777
