"""
What a supervisor and a worker say to each other, over a pair of Unix sockets.

Down go connections: each is passed as a file descriptor, so that nothing stands between a
carrier and its worker afterwards. Up go reports. A worker reports that it has taken a
connection before it reads from it, so what was not reported can be given to another one.

A worker that ends says in a report that it takes no more; the supervisor then closes its
half, and the worker has everything that was on its way when it meets the end. An end that
comes without having been asked for means that the supervisor is gone.
"""

from __future__ import annotations

import os
import socket
import struct
from dataclasses import dataclass

__all__ = ["Delivery", "Report", "a_pair", "pass_on", "read_reports", "receive", "write_report"]

_REPORT = struct.Struct("!QIIB")
_WELCOME, _FINAL = 1, 2
# Beside each descriptor, for a descriptor cannot travel alone.
_STREAM, _OTHER = b"s", b"c"
_DESCRIPTORS = 4  # room for more than are sent, so that none is cut off


@dataclass(frozen=True, slots=True)
class Report:
    """How a worker is."""

    taken: int
    """Connections that it was given and has taken, since it began."""
    connections: int
    """Those that are open."""
    streams: int = 0
    """Those of them that are a call's stream."""
    welcome: bool = True
    """Whether new calls are."""
    final: bool = False
    """It takes no more connections."""


@dataclass(frozen=True, slots=True)
class Delivery:
    """What has come: `count` connections, of which a process without descriptors gets fewer."""

    connections: tuple[socket.socket, ...] = ()
    count: int = 0
    stream: bool = False
    """Whether they last for a call."""
    over: bool = False
    """Nothing will come any more."""


def a_pair() -> tuple[socket.socket, socket.socket]:
    """The supervisor's end and the worker's; neither blocks."""
    ours, theirs = socket.socketpair()
    ours.setblocking(False)
    theirs.setblocking(False)
    return ours, theirs


def pass_on(channel: socket.socket, connection: socket.socket, *, stream: bool = False) -> bool:
    """Send a connection on its way. False: the worker is gone, or does not keep up."""
    try:
        what = _STREAM if stream else _OTHER
        return socket.send_fds(channel, [what], [connection.fileno()]) > 0
    except OSError:
        return False


def receive(channel: socket.socket) -> Delivery:
    """The next connection; an empty delivery where none has come."""
    try:
        data, descriptors, _, _ = socket.recv_fds(channel, 1, _DESCRIPTORS)
    except BlockingIOError:
        return Delivery()
    except OSError:
        return Delivery(over=True)
    for descriptor in descriptors:
        os.set_inheritable(descriptor, False)
    connections = tuple(socket.socket(fileno=descriptor) for descriptor in descriptors)
    return Delivery(connections, len(data), data == _STREAM, over=not data)


def write_report(report: Report) -> bytes:
    """Always of the same length."""
    flags = _WELCOME * report.welcome + _FINAL * report.final
    return _REPORT.pack(report.taken, report.connections, report.streams, flags)


def read_reports(data: bytes) -> tuple[list[Report], bytes]:
    """The reports in what has come, and the beginning of the next."""
    whole = len(data) - len(data) % _REPORT.size
    reports = [
        Report(taken, connections, streams, bool(flags & _WELCOME), bool(flags & _FINAL))
        for taken, connections, streams, flags in _REPORT.iter_unpack(data[:whole])
    ]
    return reports, data[whole:]
