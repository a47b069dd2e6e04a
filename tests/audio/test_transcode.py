"""Every format to every other."""

from __future__ import annotations

from itertools import pairwise, permutations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bridge.audio import g711
from bridge.audio.formats import (
    ALAW_8K,
    PCM16_8K,
    PCM16_16K,
    PCM16_24K,
    ULAW_8K,
    AudioEncoding,
    AudioFormat,
)
from bridge.audio.transcode import FORMATS, transcoder
from bridge.errors import AudioFormatError
from tests.audio.sound import chunks, level_db, pcm16, samples, tone

ORDERED = [ULAW_8K, ALAW_8K, PCM16_8K, PCM16_16K, PCM16_24K]
PAIRS = list(permutations(ORDERED, 2))

every_pair = pytest.mark.parametrize(("source", "target"), PAIRS)

NOISE = np.random.default_rng(7).bytes(4_000)


def encoded(sound: bytes, format: AudioFormat) -> bytes:
    match format.encoding:
        case AudioEncoding.PCM16:
            return sound
        case AudioEncoding.G711_ULAW:
            return g711.pcm16_to_ulaw(sound)
        case AudioEncoding.G711_ALAW:
            return g711.pcm16_to_alaw(sound)


def decoded(audio: bytes, format: AudioFormat) -> bytes:
    match format.encoding:
        case AudioEncoding.PCM16:
            return audio
        case AudioEncoding.G711_ULAW:
            return g711.ulaw_to_pcm16(audio)
        case AudioEncoding.G711_ALAW:
            return g711.alaw_to_pcm16(audio)


def test_five_formats_are_known() -> None:
    """The table of formats is the one that these tests run over."""
    assert set(ORDERED) == FORMATS


@pytest.mark.parametrize("format", [*ORDERED, AudioFormat(48_000)])
def test_equal_formats_hand_the_same_bytes_on(format: AudioFormat) -> None:
    """There is no copy and no look at them, whatever the format is."""
    same = transcoder(format, AudioFormat(format.sample_rate, format.encoding))

    assert same.feed(NOISE) is NOISE
    assert same.delay_ms == 0


@every_pair
def test_tone_is_the_same_in_the_other_format(source: AudioFormat, target: AudioFormat) -> None:
    """1 kHz arrives as loud as it was, as late as `delay_ms` says, with a codec's noise at most."""
    change = transcoder(source, target)
    audio = encoded(pcm16(tone(1000, source.sample_rate)), source)

    sound = samples(decoded(change.feed(audio), target))

    late = tone(1000, target.sample_rate, delay_ms=change.delay_ms)
    settled = target.sample_rate // 100
    noise = sound[settled:] - late[settled:]
    assert len(sound) == len(late)
    assert abs(level_db(sound, 1000, target.sample_rate)) < 0.1
    assert np.sqrt(np.mean(noise**2)) < 20_000 / np.sqrt(2) / 10 ** (33 / 20)
    assert change.delay_ms <= 2


@every_pair
def test_silence_stays_silent(source: AudioFormat, target: AudioFormat) -> None:
    """Silence becomes silence; A-law knows no zero, and its 8 may overshoot at the start."""
    made = transcoder(source, target).feed(source.silence * (source.sample_rate // 10))

    sound = samples(decoded(made, target))
    assert len(sound) == target.sample_rate // 10
    assert np.abs(sound).max() <= 9


@every_pair
@settings(deadline=None, max_examples=50)
@given(cuts=st.lists(st.integers(0, len(NOISE)), max_size=12))
def test_cuts_cannot_be_heard(source: AudioFormat, target: AudioFormat, cuts: list[int]) -> None:
    """Any cutting gives the very bytes of one piece."""
    change = transcoder(source, target)
    edges = [0, *sorted(cuts), len(NOISE)]
    pieces = [NOISE[start:end] for start, end in pairwise(edges)]

    got = b"".join(change.feed(piece) for piece in pieces)

    assert got == transcoder(source, target).feed(NOISE)


@every_pair
def test_bytes_one_by_one(source: AudioFormat, target: AudioFormat) -> None:
    """Even single bytes make the same sound."""
    change = transcoder(source, target)

    got = b"".join(change.feed(piece) for piece in chunks(NOISE, 1))

    assert got == transcoder(source, target).feed(NOISE)


@every_pair
def test_every_frame_in_gives_a_frame_out(source: AudioFormat, target: AudioFormat) -> None:
    """20 ms make 20 ms, from the first frame on."""
    change = transcoder(source, target)
    frame = bytes(source.size(20))

    assert {len(change.feed(frame)) for _ in range(10)} == {target.size(20)}


@every_pair
def test_reset_forgets_the_last_utterance(source: AudioFormat, target: AudioFormat) -> None:
    """After `reset` it is as new, also in the middle of a sample."""
    used = transcoder(source, target)
    used.feed(NOISE[:1_001])
    used.reset()

    assert used.feed(NOISE) == transcoder(source, target).feed(NOISE)


def test_ulaw_and_pcm16_at_one_rate_are_the_codec_alone() -> None:
    """At 8 kHz there is no filter between."""
    assert transcoder(ULAW_8K, PCM16_8K).feed(NOISE) == g711.ulaw_to_pcm16(NOISE)
    assert transcoder(PCM16_8K, ALAW_8K).feed(NOISE) == g711.pcm16_to_alaw(NOISE)
    assert transcoder(ULAW_8K, ALAW_8K).feed(NOISE) == g711.ulaw_to_alaw(NOISE)


@pytest.mark.parametrize(
    "strange", [AudioFormat(48_000), AudioFormat(16_000, AudioEncoding.G711_ULAW)]
)
def test_other_formats_are_refused(strange: AudioFormat) -> None:
    """A format that is not one of the five cannot be made or read, and the error names it."""
    with pytest.raises(AudioFormatError, match=f"{strange.sample_rate} Hz"):
        transcoder(strange, ULAW_8K)
    with pytest.raises(AudioFormatError, match=f"{strange.sample_rate} Hz"):
        transcoder(PCM16_24K, strange)


@pytest.mark.parametrize("target", [ULAW_8K, PCM16_24K])
def test_audio_may_be_gathered_into_longer_pieces(target: AudioFormat) -> None:
    """Nothing for a frame, both with the next; the sound is the same, at most 40 ms later."""
    gathering, plain = transcoder(ULAW_8K, target, piece_ms=40), transcoder(ULAW_8K, target)
    frames = [NOISE[start : start + 160] for start in range(0, 640, 160)]

    pieces = [gathering.feed(frame) for frame in frames]

    assert [bool(piece) for piece in pieces] == [False, True, False, True]
    assert b"".join(pieces) == plain.feed(NOISE[:640])
    assert gathering.delay_ms == plain.delay_ms + 40


def test_what_was_gathered_is_forgotten_with_the_rest() -> None:
    """What begins new does not begin with half a piece of what was."""
    gathering = transcoder(ULAW_8K, ULAW_8K, piece_ms=40)
    gathering.feed(NOISE[:160])
    gathering.reset()

    assert gathering.feed(NOISE[160:320]) == b""
    assert gathering.feed(NOISE[320:480]) == NOISE[160:480]
