from __future__ import annotations

import pytest

from bridge.audio.formats import ALAW_8K, PCM16_8K, PCM16_16K, PCM16_24K, ULAW_8K, AudioFormat
from bridge.audio.g711 import ulaw_to_pcm16
from bridge.audio.transcode import transcoder
from bridge.providers.offline.clips import Clips
from bridge.providers.offline.voice import MAX_LEARNT, Vocabulary, Voice
from bridge.providers.offline.wording import COMMA_MS, SENTENCE_MS

CLIPS = Clips(
    {
        ("open",): b"o" * 80,
        ("open", "from"): b"f" * 160,
        ("seven",): b"7" * 80,
        ("to",): b"t" * 80,
    },
    {("seven",): b"S" * 88},
)


def voice(format: AudioFormat = ULAW_8K) -> Voice:
    return Voice(Vocabulary(CLIPS), format)


def pause(duration_ms: int) -> bytes:
    return b"\xff" * 8 * duration_ms


def said(text: str, speaker: Voice | None = None) -> list[tuple[str, bytes]]:
    return [(piece.text, piece.audio) for piece in (speaker or voice()).say(text)]


def test_the_longest_phrase_is_taken() -> None:
    """And the pieces together are the text."""
    assert said("Open from 7 to") == [
        ("Open from", b"f" * 160),
        (" 7", b"7" * 80),
        (" to", b"t" * 80),
    ]


def test_the_voice_falls_before_a_pause() -> None:
    """With the recording for endings, where there is one, and silence behind it."""
    assert said("Seven. Open, seven") == [
        ("Seven.", b"S" * 88 + pause(SENTENCE_MS)),
        (" Open,", b"o" * 80 + pause(COMMA_MS)),
        (" seven", b"7" * 80),
    ]


def test_words_without_a_sound_are_left_out() -> None:
    """Of the transcript too, which tells what can be heard."""
    speaker = voice()

    assert speaker.missing("open in Zurich and Basel to seven") == ("in zurich and basel",)
    assert said("open in Zurich and Basel to") == [("open", b"o" * 80), (" to", b"t" * 80)]
    assert said("Zurich") == []


def test_words_can_be_learnt() -> None:
    """Once learnt, a phrase is missing no more; one that cannot be said is silence."""
    vocabulary = Vocabulary(CLIPS)
    speaker = Voice(vocabulary, ULAW_8K)
    vocabulary.learn("zurich", b"z" * 40)
    vocabulary.learn("basel", b"")

    assert speaker.missing("Zurich. To Basel") == ()
    assert said("Zurich. To Basel", speaker) == [
        ("Zurich.", b"z" * 40 + pause(SENTENCE_MS)),
        (" To", b"t" * 80),
    ]


def test_what_is_learnt_is_bounded() -> None:
    """The oldest phrase is forgotten first."""
    vocabulary = Vocabulary(CLIPS)
    for number in range(MAX_LEARNT + 1):
        vocabulary.learn(str(number), b"x")

    assert vocabulary.learnt("0") is None
    assert vocabulary.learnt(str(MAX_LEARNT)) == b"x"


def test_knowing_a_text_is_knowing_most_of_its_words() -> None:
    """So that a caller is not greeted with silence."""
    assert voice().knows("open from seven to Zurich")
    assert not voice().knows("Zurich to Basel")
    assert not voice().knows("")


@pytest.mark.parametrize("format", [ULAW_8K, ALAW_8K, PCM16_8K, PCM16_16K, PCM16_24K])
def test_every_format_lasts_as_long(format: AudioFormat) -> None:
    """Nothing of the sound stays behind in a resampler, from one text to the next."""
    speaker = voice(format)
    first = speaker.say("Open from seven.")
    second = speaker.say("Open from seven.")

    lasted = format.duration_ms(sum(len(piece.audio) for piece in first))
    expected = ULAW_8K.duration_ms(160 + 88) + SENTENCE_MS
    assert first == second
    assert expected <= lasted <= expected + 5


def test_linear_samples_are_the_recordings() -> None:
    """PCM16 at 8 kHz is the mu-law decoded."""
    pieces = voice(PCM16_8K).say("open to")

    joined = b"".join(piece.audio for piece in pieces)
    assert joined.startswith(ulaw_to_pcm16(b"o" * 80 + b"t" * 80))
    assert transcoder(PCM16_8K, ULAW_8K).feed(joined).startswith(b"o" * 80 + b"t" * 80)
