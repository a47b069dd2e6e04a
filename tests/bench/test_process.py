"""What /proc says, as text and of a real process."""

from __future__ import annotations

import os
import subprocess
import time
from pathlib import Path

import pytest

from bridge.bench.process import (
    Usage,
    pin,
    read_rss,
    read_schedstat,
    read_stat,
    read_stolen,
    stolen,
    usage,
)
from bridge.errors import ConfigError

STAT = "7 (a (b) c) S 1 7 7 0 -1 4194560 900 0 0 0 250 50 0 0 20 0 3 0 100 1000 200 1 1"


def test_a_process_may_be_called_anything() -> None:
    """Parentheses and spaces in its name shift nothing."""
    assert read_stat(STAT, ticks=100) == (2.5, 0.5)


def test_nanoseconds_of_a_thread() -> None:
    """It ran, it waited."""
    assert read_schedstat("1500000000 250000000 7\n") == (1.5, 0.25)


def test_what_a_machines_host_has_taken() -> None:
    """Of all processors, in seconds; and this machine's, which never becomes less."""
    text = "cpu  100 0 50 7000 10 0 20 250 3 0\ncpu0 50 0 25 3500 5 0 10 125 2 0\n"

    assert read_stolen(text, ticks=100) == 2.5
    assert 0 <= stolen() <= stolen()


def test_memory_that_is_resident() -> None:
    """In bytes; a process that is about to be gone has none."""
    assert read_rss("Name:\tpython\nVmHWM:\t  90 kB\nVmRSS:\t  80 kB\n") == 80 * 1024
    assert read_rss("Name:\tpython\n") == 0


def test_a_difference_keeps_todays_memory() -> None:
    """Time adds up, memory does not."""
    before, after = Usage(1.0, 0.5, 0.5, 0.25, 10), Usage(3.0, 1.5, 1.5, 0.75, 30)

    used = after - before

    assert (used.cpu, used.user, used.system, used.waited) == (2.0, 1.0, 1.0, 0.5)
    assert used.rss == 30


def test_a_process_that_works_uses_time() -> None:
    """This one, whose own clock tells the same."""
    before, began = usage([os.getpid()]), time.process_time()
    while time.process_time() - began < 0.1:
        pass

    used = usage([os.getpid()]) - before

    assert used.cpu == pytest.approx(0.1, abs=0.08)
    assert used.rss > 1_000_000


def test_without_the_kernels_nanoseconds(tmp_path: Path) -> None:
    """Clock ticks have to do."""
    (tmp_path / "7" / "task" / "7").mkdir(parents=True)
    (tmp_path / "7" / "stat").write_text(STAT)
    (tmp_path / "7" / "status").write_text("VmRSS:\t80 kB\n")

    used = usage([7], tmp_path)

    assert used.cpu == pytest.approx(300 / os.sysconf("SC_CLK_TCK"))


def test_nobody_there(tmp_path: Path) -> None:
    """One clear line."""
    with pytest.raises(ConfigError, match="needs Linux"):
        usage([7], tmp_path)


def test_processes_keep_to_their_processors() -> None:
    """One for who is measured, the others for who measures."""
    available = sorted(os.sched_getaffinity(0))
    with subprocess.Popen(["sleep", "60"]) as sleeper:
        pin([sleeper.pid], first=True)
        alone = os.sched_getaffinity(sleeper.pid)
        sleeper.kill()

    assert alone == {available[0]}
    assert os.sched_getaffinity(0) == set(available)
