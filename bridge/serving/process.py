"""A worker as its supervisor knows it: a process, the channel to it, and its last report."""

from __future__ import annotations

import signal
import socket
from collections import deque
from dataclasses import dataclass, field
from typing import Protocol

from bridge.serving.handoff import Report, pass_on, read_reports

__all__ = ["Process", "Rank", "Worker"]

LATE_SECONDS = 0.7  # of silence, where reports come every 0.2 s: others are asked first
IN_FLIGHT = 64  # connections that a worker may have been given and not yet taken

Rank = tuple[bool, bool, bool, int, int]
"""Who is given the next connection: the least of them."""


class Process(Protocol):
    """What a supervisor needs of a process that it has started: `subprocess.Popen`."""

    @property
    def pid(self) -> int: ...

    def poll(self) -> int | None:
        """The exit code, minus the signal's number where one killed it; None while it lives."""

    def send_signal(self, sig: int) -> None:
        """Nothing happens if it is gone."""


@dataclass(slots=True, eq=False)
class Worker:
    """`born`, `heard` and every `now` are seconds of a monotonic clock."""

    number: int
    """The lowest that no other worker had when this one began."""
    process: Process
    channel: socket.socket
    born: float
    heard: float
    report: Report | None = None
    """None: it is not ready yet."""
    outdated: bool = False
    """It is to be replaced: a call that is handed over should not have to move twice."""
    leaving: bool = False
    """It was told to end."""
    deaf: bool = False
    """It takes no more connections."""
    alarmed: bool = False
    """It does not report any more, and was told to show its stacks."""
    held: deque[tuple[socket.socket, bool]] = field(default_factory=deque)
    """
    Connections on their way to it, and whether each is a stream. Kept until it has taken
    them, should it die before.
    """
    moved: float = 0.0
    """When it last took one of them, or was given the first."""
    _last: dict[bool, int] = field(default_factory=lambda: {True: 0, False: 0})
    """The turn in which it was given a connection last: one that lasts, and any other."""
    _rest: bytes = b""

    @property
    def ready(self) -> bool:
        return self.report is not None

    @property
    def takes(self) -> bool:
        """Whether it may be given a connection."""
        return self.ready and not self.deaf and len(self.held) < IN_FLIGHT

    def silence(self, now: float) -> float:
        """Seconds since it reported, or since it took anything while something lies there."""
        return now - (min(self.heard, self.moved) if self.held else self.heard)

    def rank(self, now: float, *, stream: bool = True) -> Rank:
        """
        For a connection that lasts, or another one. Of several with as many of that kind, the
        one that waited longest.

        Webhooks weigh nothing beside streams: a carrier keeps their connections open, too.
        """
        report = self.report or Report(0, 0, welcome=False)
        late = self.silence(now) > LATE_SECONDS
        unwelcome = self.leaving or not report.welcome
        if stream:
            burden = report.streams + sum(lasts for _, lasts in self.held)
        else:
            burden = report.connections + len(self.held)
        return late, unwelcome, self.outdated, burden, self._last[stream]

    def give(
        self, connection: socket.socket, turn: int, now: float, *, stream: bool = True
    ) -> bool:
        """Pass a connection on; False if it cannot take it, and nothing has happened then."""
        if not pass_on(self.channel, connection, stream=stream):
            return False
        if not self.held:
            self.moved = now
        self.held.append((connection, stream))
        self._last[stream] = turn
        return True

    def listen(self, now: float) -> None:
        """Read what it has reported."""
        while not self._hung_up:
            try:
                data = self.channel.recv(4_096)
            except BlockingIOError:
                return
            except OSError:
                data = b""
            if not data:
                self.hang_up()
                return
            reports, self._rest = read_reports(self._rest + data)
            for report in reports:
                self._note(report, now)

    def tell(self, number: signal.Signals) -> None:
        """Send it a signal."""
        self.process.send_signal(number)

    def hang_up(self) -> None:
        """Close the channel."""
        self.deaf = True
        self.channel.close()

    def take_back(self) -> list[socket.socket]:
        """The connections that it will not take any more. For one that is dead."""
        back = [connection for connection, _ in self.held]
        self.held.clear()
        return back

    @property
    def _hung_up(self) -> bool:
        return self.channel.fileno() < 0

    def _note(self, report: Report, now: float) -> None:
        before = self.report.taken if self.report is not None else 0
        for _ in range(min(report.taken - before, len(self.held))):
            connection, _ = self.held.popleft()
            connection.close()
            self.moved = now
        self.report, self.heard = report, now
        if report.final and not self.deaf:
            self.deaf = True
            # It meets the end behind the last connection that was sent.
            self.channel.shutdown(socket.SHUT_WR)
