"""The unit for systemd, as systemd itself reads it."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from bridge.config import Config
from tests.deploy.commands import served
from tests.deploy.durations import LONGEST_AFTER_DRAIN, seconds
from tests.fakes.balancer import DEPLOY

UNIT = DEPLOY / "bridge.service"
PROGRAM = "/opt/bridge/bin/bridge"
MOST_EXPOSED = 20  # tenths of systemd's points: 10 is a service without any restraint

needs_systemd = pytest.mark.skipif(
    shutil.which("systemd-analyze") is None, reason="there is no systemd-analyze"
)


def unit() -> dict[str, list[str]]:
    """What each name is set to, in its order."""
    found: dict[str, list[str]] = {}
    for line in UNIT.read_text().splitlines():
        name, is_set, value = line.partition("=")
        if is_set and not line.startswith("#"):
            found.setdefault(name, []).append(value)
    return found


def environment() -> dict[str, str]:
    parts = [value.partition("=") for value in unit()["Environment"]]
    return {name: value for name, _, value in parts}


def analyzed(folder: Path, text: str, *words: str) -> tuple[int, str]:
    """Exit code and complaints of systemd-analyze about a unit."""
    file = folder / UNIT.name
    file.write_text(text)
    done = subprocess.run(
        ["systemd-analyze", *words, str(file)], capture_output=True, text=True, check=False
    )
    return done.returncode, done.stderr


def installed() -> str:
    """The unit with a program that is there."""
    return UNIT.read_text().replace(PROGRAM, sys.executable)


@needs_systemd
def test_systemd_takes_it(tmp_path: Path) -> None:
    assert analyzed(tmp_path, installed(), "verify") == (0, "")


@needs_systemd
def test_systemd_would_complain(tmp_path: Path) -> None:
    """Of a name that is misspelt, and of a program that is not there."""
    _, misspelt = analyzed(tmp_path, installed().replace("KillMode", "KilMode"), "verify")
    _, missing = analyzed(tmp_path, UNIT.read_text(), "verify")

    assert "KilMode" in misspelt
    assert PROGRAM in missing


@needs_systemd
def test_it_is_well_confined(tmp_path: Path) -> None:
    words = ("security", "--offline=true", f"--threshold={MOST_EXPOSED}")

    assert analyzed(tmp_path, installed(), *words)[0] == 0


def test_the_supervisor_alone_is_told_to_stop_and_to_renew() -> None:
    """It tells its workers; and there is a supervisor, or the second signal would be the end."""
    [start], [renew] = unit()["ExecStart"], unit()["ExecReload"]

    assert start.startswith(PROGRAM)
    assert served(start.split()).workers is None
    assert unit()["KillMode"] == ["mixed"]
    assert renew == "/bin/kill -HUP $MAINPID"
    assert Config.from_environ(environment()).workers > 1


def test_there_is_time_to_stop() -> None:
    [patience] = unit()["TimeoutStopSec"]

    needed = Config.from_environ(environment()).drain_seconds + LONGEST_AFTER_DRAIN
    assert seconds(patience) > needed


def test_what_is_known_of_calls_outlives_a_restart() -> None:
    """The journal is in a directory that stays, and that nobody else reads."""
    [directory], [mode] = unit()["RuntimeDirectory"], unit()["RuntimeDirectoryMode"]

    assert environment()["BRIDGE_JOURNAL_DIR"] == f"/run/{directory}"
    assert mode == "0700"
    assert unit()["RuntimeDirectoryPreserve"] == ["restart"]
