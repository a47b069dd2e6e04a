"""
What audio costs, beside the plainest way to do the same.

Each group holds our step and a plain one of the same run; only their ratio means anything.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable

import numpy as np
import pytest
from pytest_benchmark.fixture import BenchmarkFixture

from bridge.audio.formats import ALAW_8K, PCM16_8K, PCM16_24K, ULAW_8K, AudioFormat
from bridge.audio.frames import Framer
from bridge.audio.resample import Resampler
from bridge.audio.transcode import transcoder
from tests.bench.pairs import Step, both, race

with warnings.catch_warnings():
    warnings.simplefilter("ignore", DeprecationWarning)
    import audioop

pytestmark = pytest.mark.benchmark_only

RATES = [(8_000, 24_000), (24_000, 8_000), (8_000, 16_000), (16_000, 8_000)]
LENGTHS_MS = [20, 100]

Codec = Callable[[bytes], bytes]


def speech(rate: int, ms: int) -> bytes:
    noise = np.random.default_rng(1).normal(0, 4_000, rate * ms // 1000)
    return noise.clip(-32_768, 32_767).astype("<i2").tobytes()


def plain_resampler(source: int, target: int) -> Codec:
    """Linear interpolation, without a filter against what folds back."""
    state = None

    def feed(pcm16: bytes) -> bytes:
        nonlocal state
        made, state = audioop.ratecv(pcm16, 2, 1, source, target, state)
        return made

    return feed


def plain_decode(ulaw: bytes) -> bytes:
    return audioop.ulaw2lin(ulaw, 2)


def plain_encode(pcm16: bytes) -> bytes:
    return audioop.lin2ulaw(pcm16, 2)


def plain_recode(ulaw: bytes) -> bytes:
    return audioop.lin2alaw(audioop.ulaw2lin(ulaw, 2), 2)


def plain_up() -> Step:
    resample = plain_resampler(8_000, 24_000)
    return lambda ulaw: resample(plain_decode(ulaw))


def plain_down() -> Step:
    resample = plain_resampler(24_000, 8_000)
    return lambda pcm16: plain_encode(resample(pcm16))


def plain_frames(data: bytes) -> list[bytes]:
    return [data[start : start + 160] for start in range(0, len(data), 160)]


@pytest.mark.parametrize("ms", LENGTHS_MS)
@pytest.mark.parametrize(("source", "target"), RATES)
@both
def test_resampling(
    benchmark: BenchmarkFixture, make: str, source: int, target: int, ms: int
) -> None:
    """Our filter beside audioop.ratecv."""
    step = Resampler(source, target).feed if make == "ours" else plain_resampler(source, target)

    race(
        benchmark,
        f"resample {source} to {target} Hz, {ms} ms",
        make,
        step,
        speech(source, ms),
        at_most=4.0,
    )


@pytest.mark.parametrize("ms", LENGTHS_MS)
@both
def test_caller_to_model(benchmark: BenchmarkFixture, make: str, ms: int) -> None:
    """Mu-law to PCM16 at 24 kHz."""
    step = transcoder(ULAW_8K, PCM16_24K).feed if make == "ours" else plain_up()

    race(
        benchmark,
        f"mu-law to 24 kHz, {ms} ms",
        make,
        step,
        audioop.lin2ulaw(speech(8_000, ms), 2),
        at_most=3.6,
    )


@pytest.mark.parametrize("ms", LENGTHS_MS)
@both
def test_model_to_caller(benchmark: BenchmarkFixture, make: str, ms: int) -> None:
    """PCM16 at 24 kHz to mu-law."""
    step = transcoder(PCM16_24K, ULAW_8K).feed if make == "ours" else plain_down()

    race(benchmark, f"24 kHz to mu-law, {ms} ms", make, step, speech(24_000, ms), at_most=1.7)


@pytest.mark.parametrize(
    ("source", "target", "plain"),
    [
        pytest.param(ULAW_8K, PCM16_8K, plain_decode, id="mu-law to PCM16"),
        pytest.param(PCM16_8K, ULAW_8K, plain_encode, id="PCM16 to mu-law"),
        pytest.param(ULAW_8K, ALAW_8K, plain_recode, id="mu-law to A-law"),
    ],
)
@both
def test_codec(
    benchmark: BenchmarkFixture, make: str, source: AudioFormat, target: AudioFormat, plain: Step
) -> None:
    """The codecs beside audioop called by hand."""
    step = transcoder(source, target).feed if make == "ours" else plain
    audio = speech(8_000, 20)[: source.size(20)]

    race(
        benchmark, f"{source.encoding} to {target.encoding}, 20 ms", make, step, audio, at_most=3.0
    )


@both
def test_framing(benchmark: BenchmarkFixture, make: str) -> None:
    """A delta of 100 ms into five frames, beside slices without a memory."""
    step = Framer(160).feed if make == "ours" else plain_frames

    race(benchmark, "100 ms of mu-law into frames", make, step, bytes(800), at_most=1.9)
