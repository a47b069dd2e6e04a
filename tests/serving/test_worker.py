"""A worker process under a supervisor that the test plays."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from bridge.serving import handoff

SECONDS = 45.0  # that a slow machine may take for anything


@pytest.fixture
def directory() -> Iterator[Path]:
    """A short path, for those of Unix sockets must be."""
    with tempfile.TemporaryDirectory(prefix="tb-", ignore_cleanup_errors=True) as name:
        yield Path(name)


def begin(directory: Path, channel: socket.socket) -> subprocess.Popen[str]:
    post = ["--post", str(channel.fileno()), "7", str(directory)]
    return subprocess.Popen(
        [sys.executable, "-m", "bridge", "serve", *post],
        cwd=directory,
        env={"PATH": os.environ["PATH"], "BRIDGE_INSECURE": "1", "PORT": "1"},
        stderr=subprocess.PIPE,
        text=True,
        pass_fds=[channel.fileno()],
    )


def test_a_worker_at_its_post(directory: Path) -> None:
    """It reports, serves what it is given, and leaves when the supervisor is gone."""
    ours, theirs = handoff.a_pair()
    with ours, theirs, begin(directory, theirs) as process:
        theirs.close()
        ours.settimeout(SECONDS)
        ready, _ = handoff.read_reports(ours.recv(64))
        page = ask(ours, "/metrics")
        ours.close()
        _, logged = process.communicate(timeout=SECONDS)

    assert ready[0] == handoff.Report(0, 0)
    assert 'process_open_fds{worker="7"}' in page
    assert "connection: close" in page
    assert process.returncode == 0
    assert "the supervisor is gone" in logged
    assert "Traceback" not in logged
    assert not directory.exists(), "the last worker takes it along"


def ask(channel: socket.socket, path: str) -> str:
    """One request on a connection of its own, until it is closed."""
    caller, accepted = socket.socketpair()
    with caller:
        with accepted:
            assert handoff.pass_on(channel, accepted)
        caller.settimeout(SECONDS)
        caller.sendall(f"GET {path} HTTP/1.1\r\nHost: bridge\r\n\r\n".encode())
        return caller.makefile().read()


def test_a_worker_alone_has_a_watchdog_too(directory: Path) -> None:
    """Its alarm ends the process, and writes the stacks of all threads."""
    with subprocess.Popen(
        [sys.executable, "-m", "bridge", "serve", "--host", "127.0.0.1"],
        cwd=directory,
        env={"PATH": os.environ["PATH"], "BRIDGE_INSECURE": "1", "PORT": "0"},
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stderr is not None
        until = time.monotonic() + SECONDS
        while "startup complete" not in process.stderr.readline():
            assert time.monotonic() < until
        process.send_signal(signal.SIGVTALRM)
        _, logged = process.communicate(timeout=SECONDS)

    assert process.returncode == -signal.SIGVTALRM
    assert "_watch" in logged
