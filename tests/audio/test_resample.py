"""What the resampler promises of its sound, measured."""

from __future__ import annotations

from itertools import permutations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bridge.audio.resample import RATES, Resampler
from bridge.errors import AudioFormatError
from tests.audio.sound import chunks, level_db, loudest_db, pcm16, samples, tone

PAIRS = list(permutations(RATES, 2))
UP = [pair for pair in PAIRS if pair[0] < pair[1]]
DOWN = [pair for pair in PAIRS if pair[0] > pair[1]]
TELEPHONE_BAND = [300, 500, 1000, 2000, 2500, 3000, 3200, 3400]  # Hz

every_pair = pytest.mark.parametrize(("source", "target"), PAIRS)


def resampled(audio: bytes, source: int, target: int) -> bytes:
    return Resampler(source, target).feed(audio)


@every_pair
@pytest.mark.parametrize("frequency", TELEPHONE_BAND)
def test_telephone_band_passes(source: int, target: int, frequency: int) -> None:
    """300 to 3400 Hz come through within 0.01 dB (half a dB would do)."""
    sound = samples(resampled(pcm16(tone(frequency, source)), source, target))

    assert abs(level_db(sound, frequency, target)) < 0.01


@pytest.mark.parametrize(("source", "target"), DOWN)
def test_what_would_fold_is_gone(source: int, target: int) -> None:
    """Tones above 57.5 % of the lower rate leave at least 73 dB less of themselves."""
    for frequency in np.arange(0.575 * target, source / 2, 100):
        sound = samples(resampled(pcm16(tone(float(frequency), source)), source, target))

        assert loudest_db(sound, 0, target / 2, target) < -73, f"{frequency} Hz"


def test_five_kilohertz_do_not_fold_into_the_call() -> None:
    """Of a 5 kHz tone at 24 kHz nothing within 75 dB is left at 3 kHz, where it would fold to."""
    sound = samples(resampled(pcm16(tone(5000, 24_000)), 24_000, 8_000))

    assert level_db(sound, 3000, 8_000) < -75


@pytest.mark.parametrize(("source", "target"), UP)
def test_no_mirror_images_appear(source: int, target: int) -> None:
    """Above 57.5 % of the lower rate nothing is within 73 dB of a tone of the band."""
    for frequency in np.linspace(300, 0.425 * source, 12):
        sound = samples(resampled(pcm16(tone(float(frequency), source)), source, target))

        assert loudest_db(sound, 0.575 * source, target / 2, target) < -73, f"{frequency} Hz"


@every_pair
def test_delay_is_constant_and_known(source: int, target: int) -> None:
    """What comes out is the tone itself, `delay_ms` late, to a sample's own precision."""
    resampler = Resampler(source, target)
    sound = samples(resampler.feed(pcm16(tone(1000, source))))
    late = tone(1000, target, delay_ms=resampler.delay_ms)
    settled = target // 100

    error = sound[settled:] - late[settled:]

    assert resampler.delay_ms <= 2
    assert np.abs(error).max() < 2
    assert np.sqrt(np.mean(error**2)) < 0.45  # rounding to whole numbers, twice


@every_pair
@pytest.mark.parametrize("ms", [10, 20, 30, 60, 100])
def test_every_frame_in_gives_a_frame_out(source: int, target: int, ms: int) -> None:
    """There are no bursts: each frame is answered by as long a one, from the first on."""
    resampler = Resampler(source, target)
    frame = bytes(source * ms // 1000 * 2)

    sizes = {len(resampler.feed(frame)) for _ in range(20)}

    assert sizes == {target * ms // 1000 * 2}


@st.composite
def cut_audio(draw: st.DrawFn) -> list[bytes]:
    """Noise at full scale, cut anywhere."""
    seed = draw(st.integers(0, 2**32 - 1))
    sizes = draw(st.lists(st.one_of(st.integers(0, 7), st.integers(0, 2000)), max_size=30))
    audio = np.random.default_rng(seed).bytes(sum(sizes))
    ends = np.cumsum(sizes).tolist()
    return [audio[end - size : end] for size, end in zip(sizes, ends, strict=True)]


@every_pair
@settings(deadline=None, max_examples=50)
@given(pieces=cut_audio())
def test_cuts_cannot_be_heard(source: int, target: int, pieces: list[bytes]) -> None:
    """Any cutting gives the very samples of one piece, also at the end."""
    whole, cut = Resampler(source, target), Resampler(source, target)

    expected = whole.feed(b"".join(pieces)) + whole.flush()
    got = b"".join(map(cut.feed, pieces)) + cut.flush()

    assert got == expected


@every_pair
def test_sums_are_exact_in_any_order(source: int, target: int) -> None:
    """The taps of an output sample are on a grid that float64 can add up, and make exactly 1."""
    taps = Resampler(source, target)._bank.taps
    on_grid = taps * 2.0**30

    assert np.array_equal(on_grid, np.rint(on_grid))
    assert np.abs(on_grid).sum(axis=0).max() * 2**15 < 2**53
    assert set(on_grid.sum(axis=0).tolist()) == {2.0**30}


@every_pair
@given(st.integers(1, 500), st.integers(0, 2**32 - 1), st.booleans())
def test_compiled_or_not_it_is_the_same_sound(
    source: int, target: int, units: int, seed: int, loud: bool
) -> None:
    """To the last bit, and where it is clipped, too."""
    bank = Resampler(source, target)._bank
    size = len(bank.silence) + units * bank.unit_size
    noise = np.random.default_rng(seed).integers(-32_768, 32_768, size // 2)
    audio = pcm16(np.sign(noise) * 32_767.0 if loud else noise.astype(float))

    assert bank.filter(audio, units) == bank.filter_here(audio, units)


@every_pair
@pytest.mark.parametrize("size", [1, 2, 3, 320, 961, 40_000])
def test_seconds_in_one_piece_or_in_many(source: int, target: int, size: int) -> None:
    """Three seconds at once are the same as byte by byte."""
    audio = np.random.default_rng(size).bytes(source * 2 * 3 if size > 100 else source // 5)
    resampler = Resampler(source, target)

    got = b"".join(resampler.feed(piece) for piece in chunks(audio, size))

    assert got == resampled(audio, source, target)


@every_pair
@pytest.mark.parametrize("level", [-32_768, -1, 1, 12_345, 32_767])
def test_a_constant_stays_what_it_is(source: int, target: int, level: int) -> None:
    """A level is kept exactly, up to both ends of the scale."""
    sound = samples(resampled(pcm16(np.full(source // 10, float(level))), source, target))

    assert set(sound[target // 200 :].tolist()) == {float(level)}


@every_pair
def test_too_loud_is_clipped(source: int, target: int) -> None:
    """A full-scale square wave overshoots; it is cut at the ends and never wraps around."""
    half = np.full(source // 200, 32_767.0)
    square = np.tile(np.concatenate([half, -half - 1]), 20)
    resampler = Resampler(source, target)
    sound = samples(resampler.feed(pcm16(square)))
    positions = np.arange(len(sound)) / target * 1000 - resampler.delay_ms
    in_positive = (positions > 0.5) & (positions % 10 > 0.5) & (positions % 10 < 4.5)
    in_negative = (positions > 0.5) & (positions % 10 > 5.5) & (positions % 10 < 9.5)

    assert sound.max() == 32_767
    assert sound.min() == -32_768
    assert sound[in_positive].min() > 28_000
    assert sound[in_negative].max() < -28_000


@every_pair
def test_flush_brings_the_last_click_out(source: int, target: int) -> None:
    """A click half a millisecond ago is still inside after `feed`, and out after `flush`."""
    clicking = np.zeros(source // 50)
    clicking[-source // 2000] = 30_000
    resampler = Resampler(source, target)

    before = samples(resampler.feed(pcm16(clicking)))
    tail = samples(resampler.flush())

    assert np.abs(before).max() < 2_000
    assert tail.max() > 8_000
    assert resampler.delay_ms <= len(tail) * 1000 / target < resampler.delay_ms + 0.3


@every_pair
def test_flush_takes_samples_that_wait_for_others(source: int, target: int) -> None:
    """Samples too few for one at the other rate come out too; half a sample does not."""
    audio = pcm16(tone(400, source, ms=20)) + pcm16(np.array([9_000.0])) + b"\x01"
    resampler = Resampler(source, target)

    made = resampler.feed(audio) + resampler.flush()

    sound = np.concatenate([tone(400, source, ms=20), [9_000.0], np.zeros(source // 100)])
    assert resampled(pcm16(sound), source, target).startswith(made)
    assert len(made) // 2 * 1000 / target >= 20 + resampler.delay_ms


@every_pair
@pytest.mark.parametrize("end", ["flush", "reset"])
def test_nothing_is_left_for_the_next_sound(source: int, target: int, end: str) -> None:
    """After `flush` and after `reset` a resampler is as new, a cut sample included."""
    used = Resampler(source, target)
    used.feed(np.random.default_rng(1).bytes(999))
    getattr(used, end)()
    audio = pcm16(tone(700, source, ms=40))

    assert used.feed(audio) == resampled(audio, source, target)


@pytest.mark.parametrize(("source", "target"), [(8_000, 8_000), (8_000, 48_000), (0, 8_000)])
def test_other_rates_are_refused(source: int, target: int) -> None:
    """Only two different rates of the three are known."""
    with pytest.raises(AudioFormatError, match=f"{source} Hz to {target} Hz"):
        Resampler(source, target)
