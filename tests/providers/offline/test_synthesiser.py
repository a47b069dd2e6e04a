from __future__ import annotations

import logging
from pathlib import Path

import numpy as np
import pytest

from bridge.audio.g711 import ulaw_to_pcm16
from bridge.audio.wav import write_wav
from bridge.providers.offline.synthesiser import Synthesiser
from tests.providers.offline import sounds


def program(folder: Path, script: str) -> Path:
    """A program that is called as flite is: -voice V -t TEXT -o FILE."""
    file = folder / "flite"
    file.write_text(f"#!/bin/sh\n{script}\n")
    file.chmod(0o755)
    return file


@pytest.mark.parametrize("rate", [8_000, 16_000])
def test_its_sound_is_as_loud_as_the_recordings(tmp_path: Path, rate: int) -> None:
    """Whatever it writes becomes mu-law of 8 kHz."""
    tone = sounds.audio(sounds.tones(0.5, 500, level_db=-40.0))
    write_wav(tmp_path / "said.wav", rate, tone)
    flite = program(tmp_path, f'cp "{tmp_path}/said.wav" "$6"; echo "$2 $4" > {tmp_path}/told')

    said = Synthesiser(flite).say("quarter past")

    samples = np.frombuffer(ulaw_to_pcm16(said), "<i2") / 32_768
    assert len(said) == pytest.approx(4000 * 8000 / rate, abs=20)
    assert 20 * np.log10(np.sqrt((samples**2).mean())) == pytest.approx(-19.0, abs=2.0)
    assert (tmp_path / "told").read_text() == "rms quarter past\n"


@pytest.mark.parametrize(
    "script",
    ["exit 1", "exit 0", 'echo nonsense > "$6"', "exec sleep 5"],
    ids=["fails", "writes nothing", "writes nonsense", "takes for ever"],
)
def test_a_word_that_cannot_be_said_is_silence(
    tmp_path: Path, script: str, caplog: pytest.LogCaptureFixture
) -> None:
    """It is no error, and a warning without the word."""
    speaker = Synthesiser(program(tmp_path, script), timeout=0.3)

    with caplog.at_level(logging.WARNING):
        said = speaker.say("secret")

    assert said == b""
    assert "flite could not speak" in caplog.text
    assert "secret" not in caplog.text


def test_digital_silence_and_strange_rates_say_nothing(tmp_path: Path) -> None:
    write_wav(tmp_path / "silent.wav", 8_000, bytes(320))
    write_wav(tmp_path / "strange.wav", 11_025, b"\x00\x40" * 320)

    for name in ("silent", "strange"):
        flite = program(tmp_path, f'cp "{tmp_path}/{name}.wav" "$6"')
        assert Synthesiser(flite).say("word") == b""


def test_without_the_program_there_is_no_synthesiser(tmp_path: Path) -> None:
    """It is looked for on PATH."""
    missing = Synthesiser.find(str(tmp_path))
    program(tmp_path, "exit 0")

    assert missing is None
    assert Synthesiser.find(str(tmp_path)) is not None
