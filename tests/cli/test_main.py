"""The command line as a person meets it: exit codes, and one clear line for what is wrong."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from bridge.cli.main import main

COMMANDS = ("serve", "demo", "call", "dial", "doctor", "bench")


def bridge(*args: str, cwd: Path, **environ: str) -> subprocess.CompletedProcess[str]:
    """`python -m bridge`, in a directory and an environment of its own."""
    clean = {name: os.environ[name] for name in ("PATH", "HOME") if name in os.environ}
    return subprocess.run(
        [sys.executable, "-m", "bridge", *args],
        cwd=cwd,
        env={**clean, **environ},
        capture_output=True,
        text=True,
        timeout=30,
        check=False,
    )


def test_help_names_every_command(capsys: pytest.CaptureFixture[str]) -> None:
    """`bridge --help` is where one begins."""
    with pytest.raises(SystemExit) as stopped:
        main(["--help"])

    shown = capsys.readouterr().out
    assert stopped.value.code == 0
    assert all(command in shown for command in COMMANDS)


@pytest.mark.parametrize("command", COMMANDS)
def test_each_command_explains_itself(command: str, capsys: pytest.CaptureFixture[str]) -> None:
    """`bridge COMMAND --help` says what it does."""
    with pytest.raises(SystemExit) as stopped:
        main([command, "--help"])

    assert stopped.value.code == 0
    assert command in capsys.readouterr().out


def test_a_wrong_command_is_asked_wrongly(capsys: pytest.CaptureFixture[str]) -> None:
    """Exit code 2."""
    with pytest.raises(SystemExit) as stopped:
        main(["ring"])

    assert stopped.value.code == 2
    assert "ring" in capsys.readouterr().err


def test_wrong_settings_are_named_all_at_once(tmp_path: Path) -> None:
    """One line each on standard error, exit code 2, no traceback."""
    done = bridge("serve", cwd=tmp_path, PORT="eighty", BRIDGE_AUDIO="mp3")

    assert done.returncode == 2
    assert "PORT" in done.stderr
    assert "BRIDGE_AUDIO" in done.stderr
    assert "Traceback" not in done.stderr


def test_serving_without_a_token_is_refused(tmp_path: Path) -> None:
    """Without TWILIO_AUTH_TOKEN anybody could pose as the carrier."""
    done = bridge("serve", cwd=tmp_path)

    assert done.returncode == 2
    assert "TWILIO_AUTH_TOKEN" in done.stderr


def test_settings_come_from_a_dotenv_file_too(tmp_path: Path) -> None:
    """`.env` in the working directory counts, and the environment goes before it."""
    (tmp_path / ".env").write_text("BRIDGE_AUDIO=mp3\nPORT=80\n")

    done = bridge("serve", cwd=tmp_path, PORT="ninety")

    assert "BRIDGE_AUDIO" in done.stderr
    assert "PORT" in done.stderr
