"""`bridge bench`: a whole run, as short as it can be, and what it is asked wrongly."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from bridge.cli.main import main


def test_a_short_run(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A worker and a relay carry two calls; figures are shown, written and drawn."""
    figures, picture = tmp_path / "bench.json", tmp_path / "bench.svg"
    short = ["--calls", "2", "--seconds", "1", "--rounds", "1", "--warm-up", "0.5"]

    code = main(
        ["bench", *short, "--path", "pcm16", "--json", str(figures), "--plot", str(picture)]
    )

    shown = capsys.readouterr().out
    levels = {each["subject"]: each for each in json.loads(figures.read_text())["levels"]}
    bridge = levels["bridge, PCM16"]
    assert code == 0
    assert "bridge, PCM16 / plain relay" in shown
    assert set(levels) == {"plain relay", "bridge, PCM16"}
    assert bridge["cpu_ms_per_call_second"]["median"] > 0
    assert bridge["lost_calls"] == 0
    assert bridge["delay_in_ms"]["p50"] > 0
    assert bridge["delay_out_ms"]["p50"] > 0
    assert bridge["webhook_ms"]["median"] > 0
    assert picture.read_text().startswith("<svg")


def test_a_short_run_over_sip(capsys: pytest.CaptureFixture[str]) -> None:
    """Two calls over SIP: none is lost, and all packets are heard."""
    short = ["--calls", "2", "--seconds", "1", "--rounds", "1", "--warm-up", "0.5"]

    code = main(["bench", "--sip", *short])

    line = capsys.readouterr().out.splitlines()[-1].split()
    assert code == 0
    assert line[0] == "2"
    assert float(line[1]) > 0
    assert line[4] == "0"


@pytest.mark.parametrize(
    "wrong",
    [
        ["--calls", "many"],
        ["--calls", "0"],
        ["--seconds", "0"],
        ["--rounds", "0"],
        ["--sip", "--more"],
        ["--json", "/no/such/folder/file"],
    ],
)
def test_asked_wrongly(wrong: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    """Exit code 2, and one clear line."""
    code = main(["bench", *wrong])

    said = capsys.readouterr().err
    assert code == 2
    assert len(said.splitlines()) == 1
