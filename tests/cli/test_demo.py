"""`bridge demo`: the main job, with nothing but this machine."""

from __future__ import annotations

import json
import wave
from pathlib import Path

import pytest

from bridge.cli.main import main


def test_the_whole_call(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """
    The agent greets, answers by way of a tool, is interrupted, answers again, says goodbye
    and hangs up; the carrier has nothing to complain of; the recording has both sides.
    """
    out = tmp_path / "call.wav"

    code = main(["demo", "--json", "--out", str(out)])

    report = json.loads(capsys.readouterr().out)
    with wave.open(str(out)) as recording:
        channels, seconds = recording.getnchannels(), recording.getnframes() / 8_000
    assert code == 0
    assert report["ended"]["word"] == "hung-up"
    assert len(report["replies"]) == 3
    assert all(reply["seconds"] is not None for reply in report["replies"])
    assert report["clears"] == 1
    assert report["interruptions"][0]["seconds"] < 1.0
    assert report["violations"] == []
    assert channels == 2
    assert seconds == pytest.approx(report["seconds"], abs=1.0)


def test_a_person_sees_a_timeline(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """With the tool's call, the interruption and where the recording is."""
    out = tmp_path / "call.wav"

    main(["demo", "--out", str(out)])

    shown = capsys.readouterr().out
    assert "tool opening_hours answered" in shown
    assert "interrupted:" in shown
    assert "after pick-up" in shown
    assert str(out) in shown
