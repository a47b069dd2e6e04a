"""
Notices that the event loop hangs, and ends the process.

A worker that hangs is worse than a dead one: the carrier waits, the supervisor waits, and
every caller on it hears nothing. A thread looks whether the loop's heart beats; when it has
stood still for too long, the stacks of all threads are written to standard error and the
process kills itself, so that its calls come back on another worker.

The thread counts only the time in which it ran itself: a process that was stopped, or a
machine that slept, does not hang. Where something holds the interpreter's lock, as a regular
expression without end does, the thread does not run either; for that there is a timer of
the kernel's, which counts the time that the process computes, and a signal (`ALARM`) that
a supervisor may send, too.
"""

from __future__ import annotations

import asyncio
import faulthandler
import os
import signal
import sys
import threading
import time
from types import TracebackType
from typing import Self

__all__ = ["ALARM", "Watchdog"]

ALARM = signal.SIGVTALRM  # writes all stacks and ends a process that has a watchdog

LIMIT = 2.25  # seconds for which the heart may stand still, so that all is over within 3
BEAT = 0.25  # seconds between two heartbeats, and between two looks at them
BARK_SECONDS = 0.25  # for writing the stacks; who reads standard error may hang, too


class Watchdog:
    """
    A context manager that watches the running loop for as long as it lasts.

    One in a process, entered in its main thread.
    """

    def __init__(self, *, limit: float = LIMIT, beat: float = BEAT) -> None:
        self._limit = limit
        self._beat = beat
        # After the thread's own limit, and for as many cores as may be computing at once.
        self._computing = (limit + 2 * beat) * (os.cpu_count() or 1)
        self._beats = 0
        self._timer: asyncio.TimerHandle | None = None
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._watch, name="watchdog", daemon=True)

    def __enter__(self) -> Self:
        # Written by the handler itself, which needs no lock; then the signal ends the process.
        faulthandler.register(ALARM, file=sys.stderr, all_threads=True, chain=True)
        self._live(asyncio.get_running_loop())
        self._thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._stop.set()
        if self._timer is not None:
            self._timer.cancel()
        self._thread.join()
        signal.setitimer(signal.ITIMER_VIRTUAL, 0)
        faulthandler.unregister(ALARM)

    def _live(self, loop: asyncio.AbstractEventLoop) -> None:
        self._beats += 1
        signal.setitimer(signal.ITIMER_VIRTUAL, self._computing)
        self._timer = loop.call_later(self._beat, self._live, loop)

    def _watch(self) -> None:
        seen, still, looked = 0, 0.0, time.monotonic()
        while not self._stop.wait(self._beat):
            now = time.monotonic()
            passed, looked = min(now - looked, 2 * self._beat), now
            still = still + passed if self._beats == seen else 0.0
            seen = self._beats
            if still >= self._limit:
                self._bite(still)

    def _bite(self, seconds: float) -> None:
        # Where nobody takes what is written, this ends the process in the middle of it.
        signal.setitimer(signal.ITIMER_REAL, BARK_SECONDS)
        text = f"the event loop has hung for {seconds:.1f} s: this worker ends itself\n"
        os.write(sys.stderr.fileno(), text.encode())
        faulthandler.dump_traceback(file=sys.stderr, all_threads=True)
        os.kill(os.getpid(), signal.SIGKILL)
