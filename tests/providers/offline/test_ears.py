from __future__ import annotations

import numpy as np
import pytest

from bridge.audio.formats import (
    ALAW_8K,
    PCM16_8K,
    PCM16_16K,
    PCM16_24K,
    ULAW_8K,
    AudioFormat,
)
from bridge.providers.offline.ears import Ears, EarsEvent, Started, Stopped
from tests.providers.offline import sounds

NAMES = ("question", "interruption", "thanks", "order", "soft", "yes")
LEAD_MS = 1000 + sounds.EDGE_MS  # of quiet line before a recording's first sound
SECONDS = 5.0


def hear(sound: sounds.Sound, ears: Ears | None = None) -> list[tuple[EarsEvent, int]]:
    """What the ears say of a sound, and when, in milliseconds of it."""
    ears = ears or Ears(ULAW_8K)
    found = []
    for frame in sounds.frames(sounds.audio(sound, ULAW_8K), ULAW_8K):
        found += [(event, ears.heard_ms) for event in ears.hear(frame)]
    return found


@pytest.mark.parametrize("name", NAMES)
def test_speech_is_noticed_within_200_ms_and_is_one_turn(name: str) -> None:
    """Recorded callers begin once and stop once, half a second after their last word."""
    speech = sounds.recorded(name)

    found = hear(sounds.on_a_line(speech))

    (started, noticed_ms), (stopped, stopped_ms) = found
    assert isinstance(started, Started)
    assert isinstance(stopped, Stopped)
    assert LEAD_MS - 100 <= started.start_ms <= LEAD_MS + 150
    assert noticed_ms <= LEAD_MS + 250
    assert noticed_ms - started.start_ms <= 200
    end_ms = LEAD_MS + len(speech) / 8 - 2 * sounds.EDGE_MS
    assert end_ms - 250 <= stopped_ms - 500 <= end_ms + 50
    assert stopped.end_ms == stopped_ms
    assert stopped.speech_ms == stopped_ms - 500 - started.start_ms


@pytest.mark.parametrize("name", ["question", "interruption", "thanks", "order", "yes"])
def test_speech_is_heard_over_the_noise_of_a_room(name: str) -> None:
    """Noise 20 dB below the voice neither begins a turn nor parts one."""
    loud = sounds.on_a_line(sounds.recorded(name))

    found = [event for event, _ in hear(loud + sounds.hiss(len(loud) / 8000, -42.0, seed=3))]

    assert [type(event) for event in found] == [Started, Stopped]


@pytest.mark.parametrize("strictness", [1, 2, 3])
@pytest.mark.parametrize(
    "sound",
    [
        pytest.param(sounds.hiss(SECONDS, -20.0), id="loud hiss"),
        pytest.param(sounds.hiss(SECONDS, -40.0), id="hiss"),
        pytest.param(sounds.rumble(SECONDS, -20.0), id="loud street"),
        pytest.param(sounds.rumble(SECONDS, -40.0), id="street"),
        pytest.param(sounds.hum(SECONDS, 50, -15.0), id="50 Hz"),
        pytest.param(sounds.hum(SECONDS, 60, -15.0), id="60 Hz"),
        pytest.param(sounds.hum(SECONDS, 60, -30.0), id="quiet 60 Hz"),
        pytest.param(sounds.tones(SECONDS, 350, 440), id="dial tone"),
        pytest.param(sounds.tones(SECONDS, 480, 620), id="busy tone"),
        pytest.param(sounds.tones(SECONDS, 1100), id="fax"),
        pytest.param(sounds.tones(SECONDS, 1004), id="test tone"),
        pytest.param(sounds.on_a_line(sounds.keys(0.1, 0.1)), id="keys"),
        pytest.param(sounds.on_a_line(sounds.keys(0.5, 0.05)), id="long keys"),
        pytest.param(sounds.clicks(SECONDS), id="clicks"),
        pytest.param(np.zeros(int(SECONDS * 8000)), id="digital silence"),
    ],
)
def test_what_is_no_voice_begins_no_turn(sound: sounds.Sound, strictness: int) -> None:
    """Noise, hum, tones, keys and clicks are not speech, however strict the detector is."""
    assert hear(sound, Ears(ULAW_8K, strictness=strictness)) == []


def test_speech_is_noticed_behind_hum() -> None:
    """The floor has learnt the hum by then, and the voice stands out."""
    speech = sounds.on_a_line(sounds.recorded("question"), before=3.0)
    humming = speech + sounds.hum(len(speech) / 8000, 50, -35.0)

    found = [event for event, _ in hear(humming)]

    assert [type(event) for event in found] == [Started, Stopped]


def test_a_turn_ends_after_the_silence_that_was_asked_for() -> None:
    """Short patience parts a sentence at its pause; long patience does not."""
    sentence = sounds.on_a_line(sounds.recorded("order"))

    hasty = hear(sentence, Ears(ULAW_8K, silence_ms=200))
    patient = hear(sentence, Ears(ULAW_8K, silence_ms=800))

    assert len(hasty) > 2
    assert len(patient) == 2
    assert patient[1][1] - hear(sentence)[1][1] == 300


@pytest.mark.parametrize("format", [ULAW_8K, ALAW_8K, PCM16_8K, PCM16_16K, PCM16_24K])
def test_every_format_and_every_cut_tell_the_same(format: AudioFormat) -> None:
    """Audio may be cut anywhere, even within a sample."""
    data = sounds.audio(sounds.on_a_line(sounds.recorded("yes")), format)
    whole, cut = Ears(format), Ears(format)

    at_once = whole.hear(data)
    piecemeal = [e for i in range(0, len(data), 333) for e in cut.hear(data[i : i + 333])]

    assert list(at_once) == piecemeal
    assert [type(event) for event in at_once] == [Started, Stopped]


def test_forgetting_begins_anew_without_losing_the_time() -> None:
    """A turn that is forgotten does not stop, and positions go on."""
    ears = Ears(ULAW_8K)
    speech = sounds.on_a_line(sounds.recorded("thanks"))
    hear(speech[: 8000 * 2], ears)
    was_speaking = ears.speaking

    ears.forget()

    assert was_speaking
    assert not ears.speaking
    assert ears.heard_ms == 2000
    assert hear(sounds.hiss(1.0), ears) == []
