"""Sizes and durations of audio, and pieces of it."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bridge.audio.formats import (
    ALAW_8K,
    PCM16_8K,
    PCM16_16K,
    PCM16_24K,
    ULAW_8K,
    AudioChunk,
    AudioEncoding,
    AudioFormat,
)
from bridge.errors import AudioFormatError

ALL = (ALAW_8K, PCM16_8K, PCM16_16K, PCM16_24K, ULAW_8K)


@pytest.mark.parametrize(
    ("format", "bytes_per_second"),
    [(PCM16_24K, 48_000), (PCM16_16K, 32_000), (PCM16_8K, 16_000), (ULAW_8K, 8_000)],
)
def test_a_second_has_so_many_bytes(format: AudioFormat, bytes_per_second: int) -> None:
    """Samples a second times bytes a sample."""
    assert format.bytes_per_second == bytes_per_second
    assert format.duration_ms(bytes_per_second) == 1_000
    assert format.size(1_000) == bytes_per_second


@given(st.sampled_from(ALL), st.integers(0, 60_000))
def test_a_size_has_whole_samples(format: AudioFormat, duration_ms: int) -> None:
    """And lasts what was asked for, less than one sample short."""
    size = format.size(duration_ms)

    assert size % format.encoding.bytes_per_sample == 0
    assert 0 <= duration_ms - format.duration_ms(size) < 1_000 / format.sample_rate + 1e-6


@pytest.mark.parametrize(
    ("format", "silence"), [(ULAW_8K, b"\xff"), (ALAW_8K, b"\xd5"), (PCM16_24K, b"\x00\x00")]
)
def test_silence(format: AudioFormat, silence: bytes) -> None:
    """One sample of it, as ITU-T G.711 has it."""
    assert format.silence == silence
    assert format.silent(6 * len(silence) + len(silence) - 1) == 6 * silence


def test_encodings_have_the_names_that_providers_use() -> None:
    """As text they are what a configuration file would say."""
    assert [str(each) for each in AudioEncoding] == ["pcm16", "g711_ulaw", "g711_alaw"]


@pytest.mark.parametrize("rate", [0, -8_000])
def test_a_rate_that_makes_no_sound(rate: int) -> None:
    """Is refused, rather than making durations infinite."""
    with pytest.raises(AudioFormatError):
        AudioFormat(rate)


@given(st.binary(max_size=400).filter(lambda data: len(data) % 2 == 0))
def test_base64_there_and_back(data: bytes) -> None:
    """The same bytes."""
    chunk = AudioChunk(data, PCM16_24K)

    assert AudioChunk.from_base64(chunk.to_base64()) == chunk


@pytest.mark.parametrize("text", ["!", "AAA", "äöü", "AAAA="])
def test_what_is_not_base64(text: str) -> None:
    """Is an error and not some other sound."""
    with pytest.raises(AudioFormatError):
        AudioChunk.from_base64(text)


def test_a_sample_that_is_cut_in_two() -> None:
    """An odd number of bytes is no PCM16; of G.711 it is."""
    with pytest.raises(AudioFormatError):
        AudioChunk(b"\x00\x00\x00")

    assert AudioChunk(b"\xff\xff\xff", ULAW_8K).duration_ms == 0.375
