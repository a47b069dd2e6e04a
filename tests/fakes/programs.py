"""What tests that start programs need: Debian's, installed where missing; ports; patience."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Sequence

import pytest

__all__ = ["free_port", "program", "until", "with_us"]

INSTALL_SECONDS = 300.0


def program(name: str, package: str = "") -> str:
    """Where it is, installed first where that is possible; the test fails where it is not."""
    package = package or name
    found = shutil.which(name)
    if found is None and os.geteuid() == 0 and shutil.which("apt-get"):
        print(f"setup: installing Debian's package {package}", file=sys.stderr)
        # RUNLEVEL=1: a server among them must not start as a service.
        quiet = {**os.environ, "DEBIAN_FRONTEND": "noninteractive", "RUNLEVEL": "1"}
        for words in ("update", f"install -y --no-install-recommends {package}"):
            command = ["apt-get", "-q", *words.split()]
            nothing = subprocess.DEVNULL
            subprocess.run(command, env=quiet, check=False, timeout=INSTALL_SECONDS, stdout=nothing)
        found = shutil.which(name)
    if found is None:
        pytest.fail(f"these tests need {name}: apt-get install {package}")
    return found


def with_us() -> Sequence[str]:
    """Before a command: it dies with the tests, however they end; where the system knows how."""
    return ("setpriv", "--pdeathsig", "KILL") if shutil.which("setpriv") else ()


def free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        port: int = listener.getsockname()[1]
    return port


def until(true: Callable[[], bool], seconds: float) -> None:
    """Return as soon as it is true; fail if that takes longer."""
    deadline = time.monotonic() + seconds
    while not true():
        if time.monotonic() > deadline:
            pytest.fail(f"not true within {seconds:g} s")
        time.sleep(0.01)
