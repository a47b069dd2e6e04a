"""The watchdog: processes that hang, each in its own way, and others that only seem to."""

from __future__ import annotations

import os
import signal
import subprocess
import time

from tests.serving.programs import begin

SECONDS = 20.0  # that a slow machine may take for anything

LIMIT = 0.3
WATCHED = (
    f"LIMIT = {LIMIT}"
    + """
import asyncio, os, re, sys, time
watchdog = load("watchdog")

def sleeps_in_the_loop():
    time.sleep(60)

def never_comes_to_an_end():
    re.match(r"(a+)+$", "a" * 64 + "b")

async def main(hang):
    with watchdog.Watchdog(limit=LIMIT, beat=0.1):
        await asyncio.sleep(0.2)
        print("watched", flush=True)
        hang()
        await asyncio.sleep(0.5)
"""
)


def ended(process: subprocess.Popen[str]) -> tuple[int, str]:
    """How it ended, and what it wrote to standard error."""
    _, written = process.communicate(timeout=SECONDS)
    return process.returncode, written


def test_who_sleeps_in_the_loop_is_killed_and_named() -> None:
    """Not before the limit; the stacks name the function that is to blame."""
    code, written = ended(begin(f"{WATCHED}\nasyncio.run(main(sleeps_in_the_loop))"))

    [line] = [line for line in written.splitlines() if "event loop has hung" in line]
    assert code == -signal.SIGKILL
    assert float(line.split(" for ")[1].split()[0]) >= LIMIT
    assert "sleeps_in_the_loop" in written


def test_who_computes_without_end_is_killed_and_named() -> None:
    """Something holds the interpreter's lock, so that no other thread can run."""
    code, written = ended(begin(f"{WATCHED}\nasyncio.run(main(never_comes_to_an_end))"))

    assert code == -signal.SIGVTALRM
    assert "never_comes_to_an_end" in written


def test_it_is_killed_even_if_nobody_reads_what_it_writes() -> None:
    """A full pipe would hold the watchdog for ever."""
    fill = "os.set_blocking(2, False)\nwhile True:\n    try: os.write(2, b'.' * 4096)\n"
    fill += "    except BlockingIOError: break\nos.set_blocking(2, True)\n"
    process = begin(f"{WATCHED}\n{fill}\nasyncio.run(main(sleeps_in_the_loop))")
    with process:
        code = process.wait(SECONDS)

    assert code == -signal.SIGALRM


def test_a_process_that_was_stopped_does_not_hang() -> None:
    """Neither does one on a machine that slept: it goes on where it was."""
    process = begin(f"{WATCHED}\nasyncio.run(main(lambda: None))")
    assert process.stdout is not None
    assert process.stdout.readline() == "watched\n"
    os.kill(process.pid, signal.SIGSTOP)
    time.sleep(1.0)  # three times the limit
    os.kill(process.pid, signal.SIGCONT)
    code, written = ended(process)

    assert (code, written) == (0, "")


def test_who_lives_is_left_alone() -> None:
    """Afterwards there is neither a thread nor a timer."""
    leave = "import signal, threading\nasyncio.run(main(lambda: None))\n"
    leave += "assert threading.active_count() == 1\n"
    leave += "assert signal.getitimer(signal.ITIMER_VIRTUAL) == (0.0, 0.0)\n"

    assert ended(begin(f"{WATCHED}\n{leave}")) == (0, "")
