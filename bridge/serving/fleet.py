"""
The workers of a supervisor: who is started, replaced, and told to end.

Rule: nothing here waits. `tend` is called again and again with the time, and does what is
due; what has to last longer is remembered until the next time.
"""

from __future__ import annotations

import logging
import signal
import socket
from collections import defaultdict
from collections.abc import Callable, Iterator

from bridge.serving.backoff import Backoff
from bridge.serving.handoff import a_pair
from bridge.serving.process import Process, Worker
from bridge.serving.watchdog import ALARM

__all__ = ["Fleet", "Start"]

BREATH_SECONDS = 1.0  # for the others to take over a dead one's calls, before a start costs CPU
SILENT_SECONDS = 3.0  # without a report, or with connections that it leaves lying: it hangs
START_SECONDS = 60.0  # in which a worker has to be ready
CLOSING_SECONDS = 15.0  # for a worker that has closed its channel to be gone
HURRY_SECONDS = 10.0  # from the second signal to SIGKILL

Start = Callable[[int, socket.socket], Process]
"""Starts a worker with this number, which inherits this end of its channel."""

# A platform may send SIGTERM to every process, so for a worker a second one says nothing new.
_STOPS = (signal.SIGTERM, signal.SIGINT, signal.SIGKILL)

_log = logging.getLogger(__name__)


class Fleet:
    """
    `count` workers, as soon as the first has proven that one can begin.

    A worker that was killed is replaced at once, one that dies again and again later and
    later. Where the very first cannot begin at all, there is nothing to supervise: `over`,
    with the `exit_code` that it left.
    """

    def __init__(self, count: int, start: Start) -> None:
        self._count = count
        self._start = start
        self._workers: dict[int, Worker] = {}
        self._due = {0: 0.0}
        self._backoffs: defaultdict[int, Backoff] = defaultdict(Backoff)
        self._proven = False
        self._renewing = False
        self._newcomer: Worker | None = None
        self._stops = 0
        self._kill_at: float | None = None
        self.exit_code = 0

    def __iter__(self) -> Iterator[Worker]:
        return iter(tuple(self._workers.values()))

    @property
    def over(self) -> bool:
        return bool(self._stops) and not self._workers

    def stop(self, now: float) -> None:
        """Tell all to end; for the second time, at once; for the third, kill them."""
        self._stops += 1
        if self._stops == 2:
            self._kill_at = now + HURRY_SECONDS
        for worker in self:
            worker.leaving = True
            worker.tell(_STOPS[min(self._stops, len(_STOPS)) - 1])

    def renew(self) -> None:
        """Replace all workers, one after the other, each by a new one that is ready first."""
        if not self._stops:
            _log.info("the workers are replaced, one after the other")
            self._renewing = True
            for worker in self:
                worker.outdated = True

    def excuse(self, now: float) -> None:
        """The supervisor itself stood still: nobody is late."""
        for worker in self:
            worker.heard = worker.moved = now

    def tend(self, now: float) -> list[socket.socket]:
        """Do what is due. Connections that a dead worker has not taken come back."""
        back: list[socket.socket] = []
        for worker in self:
            code = worker.process.poll()
            if code is None:
                self._examine(worker, now)
            else:
                back += self._bury(worker, code, now)
        if not self._stops:
            self._fill(now)
            self._replace(now)
        elif self._kill_at is not None and now >= self._kill_at:
            self._kill_at = None
            for worker in self:
                worker.tell(signal.SIGKILL)
        return back

    # Births

    def _fill(self, now: float) -> None:
        if not self._proven and any(worker.ready for worker in self):
            self._proven = True
            self._due |= dict.fromkeys(range(1, self._count), now)
        for number in [number for number, due in self._due.items() if now >= due]:
            del self._due[number]
            if self._begin(number, now) is None:
                self._due[number] = now + self._backoffs[number].delay(0.0)

    def _begin(self, number: int, now: float) -> Worker | None:
        """None where the system has no room for another process."""
        try:
            ours, theirs = a_pair()
        except OSError as exc:
            _log.error("worker %d cannot be started: %s", number, exc.strerror)
            return None
        with theirs:
            try:
                process = self._start(number, theirs)
            except OSError as exc:
                ours.close()
                _log.error("worker %d cannot be started: %s", number, exc.strerror)
                return None
        worker = self._workers[number] = Worker(number, process, ours, now, now)
        _log.info("worker %d begins as process %d", number, process.pid)
        return worker

    # Replacement

    def _replace(self, now: float) -> None:
        if not self._renewing or self._due or self._in_between:
            return
        outdated = [worker for worker in self if worker.outdated]
        if not outdated:
            self._renewing = False
            _log.info("all workers have been replaced")
        elif self._newcomer is None:
            taken = {worker.number for worker in self}
            number = next(each for each in range(len(taken) + 1) if each not in taken)
            self._newcomer = self._begin(number, now)
            if self._newcomer is None:
                self._call_off()
        else:
            self._newcomer = None
            oldest = min(outdated, key=lambda worker: worker.born)
            oldest.leaving = True
            oldest.tell(signal.SIGTERM)

    def _call_off(self) -> None:
        self._renewing, self._newcomer = False, None
        for worker in self:
            worker.outdated = False

    @property
    def _in_between(self) -> bool:
        return any(worker.leaving or not worker.ready for worker in self)

    # Deaths

    def _bury(self, worker: Worker, code: int, now: float) -> list[socket.socket]:
        worker.listen(now)
        worker.hang_up()
        del self._workers[worker.number]
        self._account_for(worker, code, now)
        return worker.take_back()

    def _account_for(self, worker: Worker, code: int, now: float) -> None:
        if self._stops or worker.leaving:
            _log.info("worker %d ended with code %d", worker.number, code)
        elif not self._proven and not worker.ready and code > 0:
            self.exit_code = code
            self.stop(now)
        elif worker is self._newcomer:
            self._call_off()
            _log.error("a new worker could not begin (code %d): the others stay", code)
        elif self._newcomer is not None:
            self._newcomer = None
            _log.error("worker %d died with code %d; the new one replaces it", worker.number, code)
        else:
            delay = self._backoffs[worker.number].delay(now - worker.born)
            if any(other.takes for other in self):
                delay = max(delay, BREATH_SECONDS)
            self._due[worker.number] = now + delay
            _log.error("worker %d died with code %d: again in %g s", worker.number, code, delay)

    def _examine(self, worker: Worker, now: float) -> None:
        """Kill a worker that hangs. Its stacks first, for it could not write them itself."""
        allowed = SILENT_SECONDS if worker.ready else START_SECONDS
        allowed = CLOSING_SECONDS if worker.deaf else allowed
        if worker.alarmed:
            worker.tell(signal.SIGKILL)
        elif (silence := worker.silence(now)) > allowed:
            _log.error("worker %d has been silent for %.1f s", worker.number, silence)
            worker.alarmed = True
            worker.tell(ALARM)
