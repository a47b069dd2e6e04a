"""
One port, N workers: accepts connections, hands them out, and replaces who died.

The supervisor parses nothing and carries no audio. When it dies itself, its workers hand
their calls over and end.

SIGTERM and SIGINT: every worker lets go of its calls and ends; connections are accepted for
as long as one of them takes any. A second signal: at once; a third one: not even that.
SIGHUP: the workers are replaced one after the other, each by a new one that is ready first.
"""

from __future__ import annotations

import logging
import selectors
import signal
import socket
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from types import FrameType

from bridge.serving.desk import Desk
from bridge.serving.fleet import Fleet, Start
from bridge.serving.process import Worker

__all__ = ["Supervisor"]

TICK = 0.2  # seconds between two looks at the workers, where nothing else happens
STOOD_STILL = 1.0  # seconds; a supervisor that was stopped must not blame its workers

_SIGNALS = (signal.SIGTERM, signal.SIGINT, signal.SIGHUP, signal.SIGCHLD)
_log = logging.getLogger(__name__)


class Supervisor:
    """`listeners` listen and do not block; they are closed in the end."""

    def __init__(self, listeners: Sequence[socket.socket], workers: int, start: Start) -> None:
        self._selector = selectors.DefaultSelector()
        self._fleet = Fleet(workers, start)
        self._desk = Desk(listeners, lambda: self._fleet, self._selector)
        self._channels: dict[int, Worker] = {}
        self._signals: list[int] = []

    def run(self) -> int:
        """Supervise until a signal says stop and all workers are gone. The exit code."""
        with ExitStack() as stack:
            stack.callback(self._selector.close)
            stack.callback(self._desk.close)
            wake = stack.enter_context(self._hearing())
            self._selector.register(wake, selectors.EVENT_READ, wake)
            while not self._fleet.over:
                self._tend(time.monotonic())
                self._wait(wake)
        return self._fleet.exit_code

    def _tend(self, now: float) -> None:
        while self._signals:
            number = self._signals.pop(0)
            if number == signal.SIGHUP:
                self._fleet.renew()
            elif number != signal.SIGCHLD:
                _log.info("stopping")
                self._fleet.stop(now)
        self._desk.give_back(self._fleet.tend(now))
        self._follow_channels()
        self._desk.tend(now)

    def _wait(self, wake: socket.socket) -> None:
        """Until something happens; then take notice of it."""
        began = time.monotonic()
        ready = self._selector.select(0 if self._signals else TICK)
        now = time.monotonic()
        listeners: list[socket.socket] = []
        for key, _ in ready:
            if isinstance(key.data, Worker):
                key.data.listen(now)
            elif key.data is wake:
                wake.recv(4_096)
            else:
                listeners.append(key.data)
        if now - began > STOOD_STILL:
            self._fleet.excuse(now)
        # Last, so that what the workers have just reported counts.
        for listener in listeners:
            self._desk.accept(listener, now)

    def _follow_channels(self) -> None:
        # A channel that was closed may have left its number to another one.
        for descriptor in [each for each, w in self._channels.items() if w.channel.fileno() < 0]:
            del self._channels[descriptor]
            self._selector.unregister(descriptor)
        for worker in self._fleet:
            descriptor = worker.channel.fileno()
            if descriptor >= 0 and descriptor not in self._channels:
                self._channels[descriptor] = worker
                self._selector.register(descriptor, selectors.EVENT_READ, worker)

    @contextmanager
    def _hearing(self) -> Iterator[socket.socket]:
        """Signals wake the selector, and are looked at there."""
        wake, waker = socket.socketpair()
        with wake, waker:
            wake.setblocking(False)
            waker.setblocking(False)
            before = {number: signal.signal(number, self._note) for number in _SIGNALS}
            descriptor = signal.set_wakeup_fd(waker.fileno(), warn_on_full_buffer=False)
            try:
                yield wake
            finally:
                signal.set_wakeup_fd(descriptor)
                for number, handler in before.items():
                    signal.signal(number, handler)

    def _note(self, number: int, frame: FrameType | None) -> None:
        self._signals.append(number)
