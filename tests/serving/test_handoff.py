"""The channel between a supervisor and a worker."""

from __future__ import annotations

import os
import resource
import socket
from collections.abc import Iterator
from contextlib import ExitStack

import pytest

from bridge.serving import handoff
from bridge.serving.handoff import Report

Pair = tuple[socket.socket, socket.socket]


@pytest.fixture
def channel() -> Iterator[Pair]:
    ours, theirs = handoff.a_pair()
    with ours, theirs:
        yield ours, theirs


def test_a_connection_goes_from_one_to_the_other(channel: Pair) -> None:
    """It is the same connection: the sender may close its own end of it."""
    ours, theirs = channel
    caller, accepted = socket.socketpair()
    with caller:
        with accepted:
            assert handoff.pass_on(ours, accepted)
        [taken] = handoff.receive(theirs).connections
        with taken:
            caller.sendall(b"hello")

            assert taken.recv(16) == b"hello"
            assert not os.get_inheritable(taken.fileno())


def test_nothing_has_come() -> None:
    """An empty delivery, at once."""
    ours, theirs = handoff.a_pair()
    with ours, theirs:
        assert handoff.receive(theirs) == handoff.Delivery()


def test_what_was_on_its_way_comes_before_the_end(channel: Pair) -> None:
    """Whoever closes its half loses nothing that it sent."""
    ours, theirs = channel
    one, other = socket.socketpair()
    with one, other:
        assert handoff.pass_on(ours, one)
        ours.shutdown(socket.SHUT_WR)
        first, second = handoff.receive(theirs), handoff.receive(theirs)

    assert (first.count, first.over) == (1, False)
    assert (second.count, second.over) == (0, True)
    first.connections[0].close()


def test_a_worker_that_takes_nothing_holds_nobody_up(channel: Pair) -> None:
    """The channel is full some time; the answer is no, and not a wait."""
    ours, theirs = channel
    one, other = socket.socketpair()
    with one, other:
        sent = 0
        while handoff.pass_on(ours, one):
            sent += 1
            assert sent < 100_000

    assert sent >= 64
    del theirs


def test_a_worker_that_is_gone(channel: Pair) -> None:
    ours, theirs = channel
    theirs.close()

    assert not handoff.pass_on(ours, ours)


def test_a_process_without_descriptors_knows_what_it_lost(channel: Pair) -> None:
    """The supervisor must not wait for a connection that nobody will ever have."""
    ours, theirs = channel
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    with ExitStack() as stack:
        one, other = socket.socketpair()
        stack.enter_context(one)
        stack.enter_context(other)
        assert handoff.pass_on(ours, one)
        lowest = os.dup(0)
        os.close(lowest)
        resource.setrlimit(resource.RLIMIT_NOFILE, (lowest, hard))
        stack.callback(resource.setrlimit, resource.RLIMIT_NOFILE, (soft, hard))
        delivery = handoff.receive(theirs)

    assert (delivery.count, delivery.connections, delivery.over) == (1, (), False)


def test_reports_come_in_pieces() -> None:
    """Of a stream nobody knows where one will be cut."""
    reports = [Report(1, 2, 1), Report(2**40, 3, welcome=False), Report(5, 0, final=True)]
    data = b"".join(map(handoff.write_report, reports))

    found, rest = [], b""
    for at in range(0, len(data), 5):
        whole, rest = handoff.read_reports(rest + data[at : at + 5])
        found += whole

    assert found == reports
    assert rest == b""
