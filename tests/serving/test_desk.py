"""Who is given which connection."""

from __future__ import annotations

import resource
import selectors
import socket
from collections.abc import Iterator

import pytest

from bridge.serving.desk import REST_SECONDS, Desk
from bridge.serving.listeners import listen
from bridge.serving.process import Worker
from tests.serving.parts import STREAM, WEBHOOK, PlayedWorker, Players


class Counter:
    """A desk, its listener, those who work behind it and those who stand before it."""

    def __init__(self, players: Players) -> None:
        self._players = players
        self.selector = selectors.DefaultSelector()
        [self.listener] = listen("127.0.0.1", 0)
        self.workers: list[Worker] = []
        self.desk = Desk([self.listener], lambda: self.workers, self.selector)
        self.callers: list[socket.socket] = []

    def hire(self) -> tuple[Worker, PlayedWorker]:
        worker, player = self._players.worker()
        self.workers.append(worker)
        return worker, player

    def call(self, count: int = 1, words: bytes = STREAM) -> None:
        address = self.listener.getsockname()
        for _ in range(count):
            caller = socket.create_connection(address, timeout=5)
            caller.sendall(words)
            self.callers.append(caller)

    def turn(self, now: float = 0.0) -> bool:
        """One turn of the supervisor's loop. Whether connections were waiting to be accepted."""
        self.desk.tend(now)
        ready = self.selector.select(0)
        for key, _ in ready:
            self.desk.accept(key.data, now)
        return bool(ready)

    def close(self) -> None:
        self.desk.close()
        self.selector.close()
        for caller in self.callers:
            caller.close()
        for worker in self.workers:
            worker.hang_up()
            for connection in worker.take_back():
                connection.close()


@pytest.fixture
def counter(players: Players) -> Iterator[Counter]:
    counter = Counter(players)
    yield counter
    counter.close()


def test_a_burst_is_shared_out_evenly(counter: Counter) -> None:
    """Nobody has reported in the meantime, and it is even all the same."""
    players = [counter.hire()[1] for _ in range(3)]
    counter.call(30)
    while counter.turn():
        pass

    assert [player.take() for player in players] == [10, 10, 10]


def test_webhooks_do_not_count_against_streams(counter: Counter) -> None:
    """Each call is both, one right behind the other; calls are to be even, not connections."""
    players = [counter.hire()[1] for _ in range(2)]
    for _ in range(8):
        counter.call(1, WEBHOOK)
        counter.turn()
        counter.call(1, STREAM)
        counter.turn()

    streams = [player.take_streams() for player in players]

    assert streams == [4, 4]


def test_who_has_less_gets_more(counter: Counter) -> None:
    """Until it is even: a worker that has just begun catches up."""
    (old, busy), (_, fresh) = counter.hire(), counter.hire()
    busy.report(streams=6)
    old.listen(0.0)
    counter.call(10)
    while counter.turn():
        pass

    assert (busy.take(), fresh.take()) == (2, 8)


def test_who_is_full_comes_last(counter: Counter) -> None:
    """But comes: a call that comes back is let in everywhere."""
    (first, full), (second, free) = counter.hire(), counter.hire()
    full.report(streams=1, welcome=False)
    first.listen(0.0)
    free.report(streams=9)
    second.listen(0.0)
    counter.call(3)
    counter.turn()
    free.report(streams=9, welcome=False)
    second.listen(0.0)
    counter.call(1)
    counter.turn()

    assert (full.take(), free.take()) == (1, 3)


def test_without_workers_nothing_is_accepted(counter: Counter) -> None:
    """Callers wait in the kernel, and are given to the first that begins."""
    counter.call(3)
    assert not counter.turn()
    _, player = counter.hire()
    counter.turn()

    assert player.take() == 3


def test_what_a_dead_worker_did_not_take_goes_to_another(counter: Counter) -> None:
    """Nobody has read from it, and its caller does not notice."""
    dying, dead = counter.hire()
    counter.call(2)
    counter.turn()
    dead.die()
    dying.listen(0.0)
    counter.desk.give_back(dying.take_back())
    assert not counter.turn()
    _, player = counter.hire()
    counter.turn()

    assert player.take() == 2
    player.taken[0].sendall(b"hello")
    assert counter.callers[0].recv(16) == b"hello"


def test_a_channel_that_breaks_is_passed_by(counter: Counter) -> None:
    """A worker that has died a moment ago does not cost a connection."""
    _, gone = counter.hire()
    _, player = counter.hire()
    gone.end.close()
    counter.call(4)
    counter.turn()

    assert player.take() == 4


def test_without_descriptors_it_rests_and_goes_on(
    counter: Counter, caplog: pytest.LogCaptureFixture
) -> None:
    """It neither spins nor dies, says so once, and the connections wait."""
    _, player = counter.hire()
    counter.call(2)
    counter.turn()
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    counter.call(1)
    lowest = counter.callers[-1].fileno() + 1
    try:
        resource.setrlimit(resource.RLIMIT_NOFILE, (lowest, hard))
        tried = [counter.turn(now / 100) for now in range(20)]
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
    counter.turn(1.0 + REST_SECONDS)

    assert player.take() == 3
    assert 1 <= sum(tried) <= 3
    assert caplog.text.count("cannot be accepted") == 1
