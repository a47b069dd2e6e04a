"""The way to a provider breaks, and nothing says so."""

from __future__ import annotations

import subprocess
import sys

import pytest

OWN_NETWORK = ("unshare", "--user", "--map-root-user", "--net")


def test_a_network_that_dies_is_noticed_without_any_ping() -> None:
    """
    What was sent and is not acknowledged for five seconds ends the connection, with every
    provider; those who answer pings late, too.
    """
    try:
        subprocess.run([*OWN_NETWORK, "true"], check=True, capture_output=True)
    except (OSError, subprocess.CalledProcessError):
        pytest.skip("this system gives nobody a network of their own")

    command = [*OWN_NETWORK, sys.executable, "-m", "tests.providers.dead_network"]
    finished = subprocess.run(command, check=True, capture_output=True, text=True, timeout=50)

    print(f"noticed after {finished.stdout.strip()} s")
    assert 4.0 < float(finished.stdout) < 9.0
