"""`bridge demo --crash`: real workers, a real Redis, a real SIGKILL."""

from __future__ import annotations

import wave
from pathlib import Path

import pytest

from bridge.cli.main import main
from tests.fakes.redis_server import redis_server


def test_the_call_goes_on(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """One worker dies in mid-sentence; the other takes up the thread and knows the code."""
    redis_server()
    out = tmp_path / "call.wav"

    code = main(["demo", "--crash", "--out", str(out)])

    shown = capsys.readouterr().out
    before, killed, after = shown.partition("kill -9")
    assert code == 0, shown
    assert killed
    assert 'worker one    agent begins: "On Saturday' in before
    assert "worker two    agent begins" not in before
    assert 'worker two    agent begins: "We were cut off. On Saturday' in after
    assert 'worker two    agent begins: "Your code is 4, 7.' in after
    assert "ms of silence, memory complete" in after
    with wave.open(str(out)) as recording:
        assert recording.getnchannels() == 2


def test_without_redis_nothing_can_be_shown(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """What is missing is named."""
    monkeypatch.setenv("PATH", str(tmp_path))

    code = main(["demo", "--crash", "--out", str(tmp_path / "call.wav")])

    assert code == 2
    assert "apt-get install redis-server" in capsys.readouterr().err
