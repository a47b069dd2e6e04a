from __future__ import annotations

import pytest

from bridge.audio.formats import ULAW_8K
from bridge.ports.session import VadConfig, VadMode
from bridge.providers.offline.ears import Started, Stopped
from bridge.providers.offline.listening import Listening
from tests.providers.offline import sounds

SPEECH = sounds.audio(sounds.on_a_line(sounds.recorded("question")), ULAW_8K)


def turn(vad: VadConfig | None) -> tuple[Started, Stopped]:
    started, stopped = Listening(ULAW_8K, vad).hear(SPEECH)
    assert isinstance(started, Started)
    assert isinstance(stopped, Stopped)
    return started, stopped


def test_no_configuration_is_the_servers_own() -> None:
    """None and VadConfig() are the same: half a second of silence."""
    assert turn(None) == turn(VadConfig())


@pytest.mark.parametrize(
    ("vad", "later_ms"),
    [
        (VadConfig(silence_duration_ms=800), 300),
        (VadConfig.semantic_vad("high"), -100),
        (VadConfig.semantic_vad(), 200),
        (VadConfig.semantic_vad("low"), 700),
    ],
)
def test_patience_is_configured(vad: VadConfig, later_ms: int) -> None:
    """By the silence itself, or by the eagerness of the semantic mode."""
    assert turn(vad)[1].end_ms - turn(None)[1].end_ms == later_ms


def test_padding_is_added_before_the_beginning() -> None:
    """As a provider counts it."""
    assert turn(None)[0].start_ms - turn(VadConfig(prefix_padding_ms=300))[0].start_ms == 300


@pytest.mark.parametrize("threshold", [0.0, 0.5, 1.0])
def test_every_threshold_hears_a_clear_voice(threshold: float) -> None:
    """It chooses how strict the detector is, from lenient to strict."""
    assert len(turn(VadConfig(threshold=threshold))) == 2


def test_interruption_can_be_switched_off() -> None:
    """Only `False` does; "not said" means that the caller interrupts."""
    assert Listening(ULAW_8K, None).interrupts
    assert Listening(ULAW_8K, VadConfig(interrupt_response=None)).interrupts
    assert not Listening(ULAW_8K, VadConfig(interrupt_response=False)).interrupts


def test_turns_by_hand() -> None:
    """Without detection nothing is noticed, and what was said is committed by its length."""
    listening = Listening(ULAW_8K, VadConfig.disabled())

    noticed = listening.hear(SPEECH)

    assert noticed == ()
    assert not listening.automatic
    assert listening.commit() == pytest.approx(len(SPEECH) / 8000, abs=0.02)
    assert listening.commit() is None


def test_too_little_audio_is_no_turn() -> None:
    """Less than 100 ms, or what was cleared."""
    listening = Listening(ULAW_8K, VadConfig(VadMode.NONE))
    listening.hear(b"\xff" * 480)
    little = listening.commit()
    listening.hear(b"\xff" * 8000)
    listening.clear()

    assert little is None
    assert listening.commit() is None


def test_a_turn_that_ended_by_itself_is_committed() -> None:
    """What is left to commit by hand is only what came after it."""
    listening = Listening(ULAW_8K, None)
    _, stopped = listening.hear(SPEECH)
    assert isinstance(stopped, Stopped)

    left = listening.commit()

    total_ms = len(SPEECH) // 160 * 20
    assert left == (total_ms - stopped.end_ms) / 1000 or left is None
