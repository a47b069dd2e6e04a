"""`bridge serve`: a real process that answers, and goes when it is told to."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.fakes.programs import free_port

READY_SECONDS = 20.0
AGENT = """
from bridge import Agent
agent = Agent("You answer for a bakery.", name="bakery")
"""


@contextmanager
def serving(cwd: Path, *args: str, **environ: str) -> Iterator[tuple[subprocess.Popen[str], str]]:
    """A `bridge serve` process that is ready; gives it and its origin."""
    port = free_port()
    clean = {name: os.environ[name] for name in ("PATH", "HOME") if name in os.environ}
    process = subprocess.Popen(
        [sys.executable, "-m", "bridge", "serve", *args, "--host", "127.0.0.1"],
        cwd=cwd,
        env={**clean, "PORT": str(port), "BRIDGE_INSECURE": "1", **environ},
        stderr=subprocess.PIPE,
        text=True,
    )
    origin = f"http://127.0.0.1:{port}"
    try:
        wait_for(process, f"{origin}/healthz")
        yield process, origin
    finally:
        process.kill()
        process.communicate()


def wait_for(process: subprocess.Popen[str], url: str) -> None:
    until = time.monotonic() + READY_SECONDS
    while time.monotonic() < until and process.poll() is None:
        try:
            urllib.request.urlopen(url, timeout=1).close()
        except (urllib.error.URLError, ConnectionError):
            time.sleep(0.05)
        else:
            return
    pytest.fail(f"the bridge did not become ready (exit code {process.poll()})")


def test_it_answers_and_stops_at_a_signal(tmp_path: Path) -> None:
    """Health and readiness answer 200; SIGTERM ends the process without a traceback."""
    with serving(tmp_path) as (process, origin):
        ready = urllib.request.urlopen(f"{origin}/readyz", timeout=5)
        status = ready.status
        ready.close()
        process.send_signal(signal.SIGTERM)
        _, logged = process.communicate(timeout=15)

    assert status == 200
    assert "Traceback" not in logged


def test_the_users_agent_answers(tmp_path: Path) -> None:
    """`bridge serve module:attribute`, and the log says who answers where."""
    (tmp_path / "bakery_served.py").write_text(AGENT)

    with serving(tmp_path, "bakery_served:agent") as (process, _):
        process.send_signal(signal.SIGINT)
        _, logged = process.communicate(timeout=15)

    assert "answering as bakery with offline" in logged
    assert "/twilio/voice" in logged


def failing(cwd: Path, *args: str, **environ: str) -> subprocess.CompletedProcess[str]:
    """A `bridge serve` that cannot begin."""
    return subprocess.run(
        [sys.executable, "-m", "bridge", "serve", *args, "--host", "127.0.0.1"],
        cwd=cwd,
        env={"PATH": os.environ["PATH"], "BRIDGE_INSECURE": "1", **environ},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


SHARED = {"REDIS_URL": "redis://127.0.0.1:1", "BRIDGE_SECRET_KEY": "k" * 32}


@pytest.mark.parametrize("workers", ["1", "2"])
def test_a_port_that_is_taken_is_a_failure(workers: str, tmp_path: Path) -> None:
    """It ran and failed: exit code 1, and no traceback."""
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        done = failing(tmp_path, "--port", port, "--workers", workers, **SHARED)

    assert done.returncode == 1
    assert "in use" in done.stderr
    assert "Traceback" not in done.stderr


def test_workers_have_to_share_their_calls(tmp_path: Path) -> None:
    """Several of them without Redis would lose what the others know."""
    done = failing(tmp_path, "--workers", "2")

    [line] = done.stderr.splitlines()
    assert done.returncode == 2
    assert "REDIS_URL" in line


def test_what_no_worker_can_serve_is_said_once(tmp_path: Path) -> None:
    """The first to begin finds out; the supervisor ends with its code and has left nothing."""
    done = failing(tmp_path, "nobody:agent", "--port", "0", "--workers", "3", **SHARED)

    complaints = [line for line in done.stderr.splitlines() if line.startswith("bridge:")]
    assert done.returncode == 2
    assert len(complaints) == 1
    assert "no module nobody" in complaints[0]
    assert "Traceback" not in done.stderr
