"""
Accepts connections and gives each to the worker with the fewest.

Nothing is taken from them and nothing is waited for; a glance at the first bytes tells a
stream, which lasts for a call, from a webhook's request, which is over in a moment. Were they
dealt out alike, one worker might get all the webhooks and another all the calls. While no
worker can take one, none is accepted: they wait in the kernel, which holds as many as the
backlog allows.
"""

from __future__ import annotations

import logging
import selectors
import socket
from collections import deque
from collections.abc import Callable, Iterable, Sequence

from bridge.serving.process import Worker

__all__ = ["Desk"]

AT_ONCE = 64  # connections that are accepted before somebody else has a turn
REST_SECONDS = 0.1  # after an accept that failed: there are no descriptors left, or no memory
GLANCE = 2_048  # bytes of a request
COMPLAINT_SECONDS = 10.0  # between two lines in the log about that

_log = logging.getLogger(__name__)


class Desk:
    """`workers` gives those who live; `listeners` do not block."""

    def __init__(
        self,
        listeners: Sequence[socket.socket],
        workers: Callable[[], Iterable[Worker]],
        selector: selectors.BaseSelector,
    ) -> None:
        self._listeners = listeners
        self._workers = workers
        self._selector = selector
        self._waiting: deque[socket.socket] = deque()
        self._open = False
        self._rest_until = 0.0
        self._complained = -COMPLAINT_SECONDS
        self._turn = 0

    def give_back(self, connections: Iterable[socket.socket]) -> None:
        """Give connections that a worker did not take to others."""
        self._waiting.extend(connections)

    def tend(self, now: float) -> None:
        """Give what waits to whom there is, and accept more only if somebody would take it."""
        while self._waiting and self._give(self._waiting[0], now):
            self._waiting.popleft()
        able = not self._waiting and now >= self._rest_until
        self._set_open(able and any(worker.takes for worker in self._workers()))

    def accept(self, listener: socket.socket, now: float) -> None:
        """Accept what has come, in bounds."""
        for _ in range(AT_ONCE):
            if self._waiting or not any(worker.takes for worker in self._workers()):
                return
            try:
                connection, _ = listener.accept()
            except BlockingIOError:
                return
            except ConnectionError:
                continue  # it was gone before it was accepted
            except OSError as exc:
                self._rest(now, exc)
                return
            if not self._give(connection, now):
                self._waiting.append(connection)

    def close(self) -> None:
        """Accept nothing more, and let go of what waits."""
        self._set_open(False)
        for end in (*self._listeners, *self._waiting):
            end.close()
        self._waiting.clear()

    def _rest(self, now: float, exc: OSError) -> None:
        self._rest_until = now + REST_SECONDS
        if now - self._complained >= COMPLAINT_SECONDS:
            self._complained = now
            _log.error("connections cannot be accepted for now: %s", exc.strerror)

    def _give(self, connection: socket.socket, now: float) -> bool:
        self._turn += 1
        stream = _is_stream(connection)
        takers = [worker for worker in self._workers() if worker.takes]
        takers.sort(key=lambda worker: worker.rank(now, stream=stream))
        return any(worker.give(connection, self._turn, now, stream=stream) for worker in takers)

    def _set_open(self, open: bool) -> None:
        if open is self._open:
            return
        self._open = open
        for listener in self._listeners:
            if open:
                self._selector.register(listener, selectors.EVENT_READ, listener)
            else:
                self._selector.unregister(listener)


def _is_stream(connection: socket.socket) -> bool:
    """Whether a WebSocket is asked for, as far as one can tell without waiting."""
    try:
        head = connection.recv(GLANCE, socket.MSG_PEEK | socket.MSG_DONTWAIT)
    except OSError:
        return False
    return head.startswith(b"GET ") and b"websocket" in head.lower()
