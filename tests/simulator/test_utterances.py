"""What a caller can say."""

from __future__ import annotations

from pathlib import Path

import pytest

from bridge.audio.g711 import ulaw_to_pcm16
from bridge.audio.wav import write_wav
from bridge.errors import ConfigError
from bridge.simulator import utterances
from bridge.simulator.voice import spurts
from tests.simulator.sounds import tone


@pytest.mark.parametrize("name", utterances.names())
def test_recordings_come_with_the_package(name: str) -> None:
    """Each of them holds a voice, and no long silence around it."""
    audio = utterances.recorded(name)

    (first, *_), last = spurts(audio), spurts(audio)[-1]
    assert first.start < 0.5
    assert len(audio) / 8_000 - last.end < 0.5


def test_there_are_the_recordings_that_commands_use() -> None:
    """A question to begin with, and something to interrupt an agent by."""
    assert {"question", "interruption"} <= set(utterances.names())


def test_a_recording_that_there_is_not() -> None:
    """The error names those that there are."""
    with pytest.raises(ConfigError, match="question"):
        utterances.recorded("../../etc/passwd")


def test_a_wav_of_8_khz_is_taken_as_it_is(tmp_path: Path) -> None:
    """Only the law is applied."""
    sound = tone(0.1)
    write_wav(tmp_path / "a.wav", 8_000, ulaw_to_pcm16(sound))

    assert utterances.load(tmp_path / "a.wav") == sound


@pytest.mark.parametrize("rate", [16_000, 24_000])
def test_other_rates_are_resampled(tmp_path: Path, rate: int) -> None:
    """A tenth of a second stays one, and its end is not cut off."""
    write_wav(tmp_path / "a.wav", rate, b"\x00\x20" * (rate // 10))

    assert 800 <= len(utterances.load(tmp_path / "a.wav")) <= 900


def test_what_cannot_be_used(tmp_path: Path) -> None:
    """Missing, no WAV, or at a rate that is not spoken here."""
    (tmp_path / "text.wav").write_text("not audio")
    write_wav(tmp_path / "cd.wav", 44_100, bytes(882))

    for name, words in (("none.wav", "read"), ("text.wav", "used"), ("cd.wav", "44100 Hz")):
        with pytest.raises(ConfigError, match=words):
            utterances.load(tmp_path / name)
