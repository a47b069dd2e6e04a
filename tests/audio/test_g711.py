"""G.711 against the formulas of the recommendation, over every code and every sample."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import numpy.typing as npt
import pytest

from bridge.audio import g711
from bridge.audio.formats import ALAW_8K, ULAW_8K
from bridge.errors import AudioFormatError

EVERY_CODE = bytes(range(256))
EVERY_SAMPLE = np.arange(-32_768, 32_768, dtype=np.int32)

Integers = npt.NDArray[np.int32]


def samples(pcm16: bytes) -> Integers:
    return np.frombuffer(pcm16, "<i2").astype(np.int32)


def ulaw_exponents(codes: Integers) -> Integers:
    return ((codes ^ 0xFF) >> 4) & 7


def alaw_exponents(codes: Integers) -> Integers:
    return ((codes ^ 0x55) >> 4) & 7


def ulaw_value(code: int) -> int:
    turned = code ^ 0xFF
    exponent, mantissa = (turned >> 4) & 7, turned & 15
    magnitude = ((2 * mantissa + 33) << (exponent + 2)) - 4 * 33
    return -magnitude if turned & 0x80 else magnitude


def alaw_value(code: int) -> int:
    turned = code ^ 0x55
    exponent, mantissa = (turned >> 4) & 7, turned & 15
    steps = mantissa + 16 if exponent else mantissa
    magnitude = (2 * steps + 1) << (max(exponent, 1) + 2)
    return magnitude if turned & 0x80 else -magnitude


def test_ulaw_decodes_as_the_recommendation_says() -> None:
    """All 256 codes have the values of the formula, and the extremes are known."""
    values = samples(g711.ulaw_to_pcm16(EVERY_CODE))

    assert values.tolist() == [ulaw_value(code) for code in range(256)]
    assert [values[0x00], values[0x80], values[0x7F], values[0xFF]] == [-32124, 32124, 0, 0]


def test_alaw_decodes_as_the_recommendation_says() -> None:
    """All 256 codes have the values of the formula, and the extremes are known."""
    values = samples(g711.alaw_to_pcm16(EVERY_CODE))

    assert values.tolist() == [alaw_value(code) for code in range(256)]
    assert [values[0x2A], values[0xAA], values[0x55], values[0xD5]] == [-32256, 32256, -8, 8]


def test_ulaw_code_survives_the_way_through_pcm16() -> None:
    """Every code comes back as it was, but the second zero as the first."""
    back = g711.pcm16_to_ulaw(g711.ulaw_to_pcm16(EVERY_CODE))

    assert back == EVERY_CODE.replace(b"\x7f", b"\xff")


def test_alaw_code_survives_the_way_through_pcm16() -> None:
    """Every code comes back as it was."""
    assert g711.pcm16_to_alaw(g711.alaw_to_pcm16(EVERY_CODE)) == EVERY_CODE


@pytest.mark.parametrize(
    ("encode", "decode", "exponents", "loudest", "finest"),
    [
        (g711.pcm16_to_ulaw, g711.ulaw_to_pcm16, ulaw_exponents, 32_635, 4),
        (g711.pcm16_to_alaw, g711.alaw_to_pcm16, alaw_exponents, 32_767, 8),
    ],
)
def test_sample_gets_the_code_of_its_step(
    encode: Callable[[bytes], bytes],
    decode: Callable[[bytes], bytes],
    exponents: Callable[[Integers], Integers],
    loudest: int,
    finest: int,
) -> None:
    """No sample is further from its code than half a step, and louder stays louder."""
    codes = encode(EVERY_SAMPLE.astype("<i2").tobytes())
    values = samples(decode(codes))
    exponent = exponents(np.frombuffer(codes, np.uint8).astype(np.int32))
    half_step = 4 << exponent if finest == 4 else 8 << np.maximum(exponent - 1, 0)
    in_range = np.abs(EVERY_SAMPLE) <= loudest

    too_far = np.abs(values - EVERY_SAMPLE) > half_step + finest

    assert not np.any(too_far & in_range)
    assert np.all(np.diff(values) >= 0)


def test_ulaw_and_alaw_meet_without_pcm16() -> None:
    """The direct way gives what the way through PCM16 gives."""
    to_alaw = g711.ulaw_to_alaw(EVERY_CODE)
    to_ulaw = g711.alaw_to_ulaw(EVERY_CODE)

    assert to_alaw == g711.pcm16_to_alaw(g711.ulaw_to_pcm16(EVERY_CODE))
    assert to_ulaw == g711.pcm16_to_ulaw(g711.alaw_to_pcm16(EVERY_CODE))


def test_silence_stays_silent() -> None:
    """Zeros become each law's silence."""
    assert g711.pcm16_to_ulaw(bytes(4)) == ULAW_8K.silence * 2
    assert g711.pcm16_to_alaw(bytes(4)) == ALAW_8K.silence * 2


@pytest.mark.parametrize("encode", [g711.pcm16_to_ulaw, g711.pcm16_to_alaw])
def test_half_a_sample_is_refused(encode: Callable[[bytes], bytes]) -> None:
    """An odd number of bytes is not PCM16."""
    with pytest.raises(AudioFormatError, match="cut in two"):
        encode(b"\x00\x01\x02")
