"""What a supervisor knows of a worker."""

from __future__ import annotations

import socket
from collections.abc import Iterator

import pytest

from bridge.serving.handoff import Delivery, Report, receive, write_report
from bridge.serving.process import IN_FLIGHT, Worker
from tests.serving.parts import PlayedWorker, Players

Pair = tuple[Worker, PlayedWorker]


@pytest.fixture
def pair(players: Players) -> Iterator[Pair]:
    worker, player = players.worker()
    yield worker, player
    for connection in worker.take_back():
        connection.close()
    worker.hang_up()


def connection() -> socket.socket:
    one, other = socket.socketpair()
    other.close()
    return one


def test_it_takes_nothing_before_it_is_ready(players: Players) -> None:
    """The first report says so."""
    worker, player = players.worker(ready=False)
    before = worker.takes
    player.report()
    worker.listen(1.0)

    assert (before, worker.takes) == (False, True)
    assert worker.heard == 1.0
    worker.hang_up()


def test_what_is_on_its_way_counts(pair: Pair) -> None:
    """A connection is counted from the moment it is passed on: exactly once."""
    worker, player = pair
    worker.give(connection(), turn=1, now=0.0)
    worker.give(connection(), turn=2, now=0.0)
    on_their_way = worker.rank(0.1)
    player.take()
    player.report(streams=2)
    worker.listen(0.1)

    assert on_their_way[3] == 2
    assert worker.rank(0.1)[3] == 2
    assert not worker.held


def test_who_leaves_connections_lying_is_silent(pair: Pair) -> None:
    """Whatever it reports. Taking one of them is a sign of life."""
    worker, player = pair
    for turn in range(2):
        worker.give(connection(), turn, now=1.0)
    player.report()
    worker.listen(3.0)
    lying = worker.silence(3.0)
    player.taken.extend(receive(player.end).connections)
    player.report(streams=1)
    worker.listen(3.5)

    assert lying == 2.0
    assert worker.silence(4.0) == 0.5


def test_webhooks_weigh_nothing_beside_streams(players: Players) -> None:
    """Their connections may stay open for minutes, and all be at the worker that came last."""
    (first, player), (second, other) = players.worker(), players.worker()
    player.end.sendall(write_report(Report(0, connections=16, streams=0)))
    other.end.sendall(write_report(Report(0, connections=2, streams=2)))
    for worker in (first, second):
        worker.listen(1.0)

    assert first.rank(1.0, stream=True) < second.rank(1.0, stream=True)
    assert first.rank(1.0, stream=False) > second.rank(1.0, stream=False)
    for worker in (first, second):
        worker.hang_up()


def test_it_is_not_flooded(pair: Pair) -> None:
    """A worker that takes nothing is not given more than so many."""
    worker, player = pair
    for turn in range(IN_FLIGHT):
        assert worker.takes
        assert worker.give(connection(), turn, 0.0)

    assert not worker.takes
    player.take()
    player.report(streams=IN_FLIGHT)
    worker.listen(0.1)
    assert worker.takes


def test_who_is_asked_first(players: Players) -> None:
    """
    Who reports, then who welcomes calls, then who stays, then who has least, then who waited
    longest.
    """
    pairs = [players.worker() for _ in range(7)]
    reports = [(0, True), (0, False), (5, True), (4, True), (4, True), (9, True), (0, True)]
    for (worker, player), (connections, welcome) in zip(pairs, reports, strict=True):
        player.report(connections, welcome=welcome)
        worker.listen(10.0)
    workers = [worker for worker, _ in pairs]
    workers[0].heard = 9.0
    workers[3].give(connection(), turn=7, now=10.0)
    pairs[3][1].take()
    pairs[3][1].report(4)
    workers[3].listen(10.0)
    workers[5].leaving = True
    workers[6].outdated = True

    order = sorted(workers, key=lambda worker: worker.rank(10.0))

    assert [worker.number for worker in order] == [4, 3, 2, 6, 1, 5, 0]
    for worker in workers:
        worker.hang_up()


def test_who_takes_no_more_gets_what_is_on_its_way(pair: Pair) -> None:
    """After its last report it meets the end of the channel, behind the last connection."""
    worker, player = pair
    worker.give(connection(), turn=1, now=0.0)
    player.report(final=True)
    worker.listen(0.1)
    assert not worker.takes
    took = player.take()

    assert took == 1
    assert receive(player.end) == Delivery(over=True)
    player.report(final=True)
    worker.listen(0.2)
    assert not worker.held


def test_what_a_dead_worker_took_is_not_given_to_another(pair: Pair) -> None:
    """It may have been read from. What it has not reported, nobody has read."""
    worker, player = pair
    for turn in range(3):
        worker.give(connection(), turn, 0.0)
    first = receive(player.end)
    player.taken.extend(first.connections)
    player.report(streams=1)
    player.die()
    worker.listen(0.1)

    back = worker.take_back()
    assert len(back) == 2
    assert not worker.takes
    for each in back:
        each.close()
