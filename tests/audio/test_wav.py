"""WAV files written and read back."""

from __future__ import annotations

import wave
from pathlib import Path

import numpy as np
import pytest

from bridge.audio.wav import read_wav, write_wav
from bridge.errors import AudioFormatError

CALLER = np.array([1, -2, 300, -400, 32_767], "<i2").tobytes()
MODEL = np.array([3, 4, -32_768], "<i2").tobytes()


def test_mono_comes_back(tmp_path: Path) -> None:
    """One stream is read as it was written, with its rate."""
    write_wav(tmp_path / "call.wav", 24_000, CALLER)

    assert read_wav(tmp_path / "call.wav") == (CALLER, 24_000)


def test_stereo_keeps_the_sides_apart(tmp_path: Path) -> None:
    """Left is the first stream, right the second, and the shorter one ends in silence."""
    write_wav(tmp_path / "call.wav", 8_000, CALLER, MODEL)

    with wave.open(str(tmp_path / "call.wav"), "rb") as file:
        frames = np.frombuffer(file.readframes(10), "<i2").reshape(-1, 2)
        assert (file.getnchannels(), file.getframerate(), file.getnframes()) == (2, 8_000, 5)
    assert frames[:, 0].tobytes() == CALLER
    assert frames[:, 1].tobytes() == MODEL + bytes(4)


def test_stereo_is_mixed_down(tmp_path: Path) -> None:
    """Both sides are heard at half of their loudness, and nothing overflows."""
    write_wav(tmp_path / "call.wav", 8_000, CALLER, MODEL)

    audio, rate = read_wav(str(tmp_path / "call.wav"))

    assert np.frombuffer(audio, "<i2").tolist() == [2, 1, -16_234, -200, 16_384]
    assert rate == 8_000


def test_nothing_was_said(tmp_path: Path) -> None:
    """Empty streams make a file without sound."""
    write_wav(tmp_path / "call.wav", 8_000, b"", b"")

    assert read_wav(tmp_path / "call.wav") == (b"", 8_000)


def test_file_that_was_cut_off_gives_what_is_there(tmp_path: Path) -> None:
    """A recording that stopped in the middle of a frame is read up to its last whole one."""
    path = tmp_path / "call.wav"
    write_wav(path, 8_000, CALLER, CALLER)
    path.write_bytes(path.read_bytes()[:-3])

    audio, _ = read_wav(path)

    assert audio == CALLER[:-2]


def test_what_cannot_be_written_is_refused(tmp_path: Path) -> None:
    """No channels, three channels, no rate and half a sample are told apart; no file is made."""
    path = tmp_path / "call.wav"

    with pytest.raises(AudioFormatError, match="not 0"):
        write_wav(path, 8_000)
    with pytest.raises(AudioFormatError, match="not 3"):
        write_wav(path, 8_000, b"", b"", b"")
    with pytest.raises(AudioFormatError, match="0 Hz"):
        write_wav(path, 0, b"")
    with pytest.raises(AudioFormatError, match="cut in two"):
        write_wav(path, 8_000, b"", b"abc")
    assert not path.exists()


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"ID3\x04 not a WAV at all",
        b"RIFF\x10\x00\x00\x00WAVE",
        # G.711 in a WAV: format 7.
        b"RIFF\x32\x00\x00\x00WAVEfmt \x12\x00\x00\x00\x07\x00\x01\x00"
        b"\x40\x1f\x00\x00\x40\x1f\x00\x00\x01\x00\x08\x00\x00\x00data\x00\x00\x00\x00",
        # A chunk that says it is longer than the file.
        b"RIFF\x24\x00\x00\x00WAVEfmt \x10\xff\x00\x00\x01\x00\x01\x00"
        b"\x40\x1f\x00\x00\x80\x3e\x00\x00\x02\x00\x10\x00data\x00\x00\x00\x00",
    ],
)
def test_other_files_are_refused(tmp_path: Path, content: bytes) -> None:
    """What is not a PCM WAV is said to be none."""
    path = tmp_path / "call.wav"
    path.write_bytes(content)

    with pytest.raises(AudioFormatError, match=r"not a PCM WAV file: \w"):
        read_wav(path)


def test_other_widths_and_rates_are_refused(tmp_path: Path) -> None:
    """Eight bits a sample and a rate of nothing are named."""
    eight_bits, timeless = tmp_path / "8.wav", tmp_path / "0.wav"
    with wave.open(str(eight_bits), "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(1)
        file.setframerate(8_000)
        file.writeframes(b"\x80\x80")
    write_wav(timeless, 1, CALLER)
    header = bytearray(timeless.read_bytes())
    header[24:28] = bytes(4)
    timeless.write_bytes(header)

    with pytest.raises(AudioFormatError, match="8 bits"):
        read_wav(eight_bits)
    with pytest.raises(AudioFormatError, match="0 Hz"):
        read_wav(timeless)


def test_file_that_is_not_there(tmp_path: Path) -> None:
    """That is the reader's to answer, as with any file."""
    with pytest.raises(FileNotFoundError):
        read_wav(tmp_path / "call.wav")
