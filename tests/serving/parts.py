"""Workers that the test plays: a process that is none, and the worker's end of a channel."""

from __future__ import annotations

import signal
import socket
from dataclasses import dataclass, field

from bridge.serving import handoff
from bridge.serving.handoff import Report
from bridge.serving.process import Worker

__all__ = ["STREAM", "WEBHOOK", "PlayedProcess", "PlayedWorker", "Players"]

STREAM = b"GET /twilio/media HTTP/1.1\r\nUpgrade: websocket\r\n\r\n"
WEBHOOK = b"POST /twilio/voice HTTP/1.1\r\n\r\n"


@dataclass
class PlayedProcess:
    """Remembers what it was sent, and is dead when the test says so."""

    pid: int
    code: int | None = None
    signals: list[signal.Signals] = field(default_factory=list)

    def poll(self) -> int | None:
        return self.code

    def send_signal(self, sig: int) -> None:
        self.signals.append(signal.Signals(sig))


class PlayedWorker:
    """The other end of a worker's channel."""

    def __init__(self, number: int, end: socket.socket) -> None:
        self.number = number
        self.process = PlayedProcess(1_000 + number)
        self.end = end
        self.end.setblocking(False)
        self.taken: list[socket.socket] = []

    def report(self, streams: int = 0, *, welcome: bool = True, final: bool = False) -> None:
        report = Report(len(self.taken), streams, streams, welcome, final)
        self.end.sendall(handoff.write_report(report))

    def take(self) -> int:
        """Take what has come; how many that were."""
        before = len(self.taken)
        while found := handoff.receive(self.end).connections:
            self.taken.extend(found)
        return len(self.taken) - before

    def take_streams(self) -> int:
        """Take what has come; how many of those were streams."""
        before = len(self.taken)
        self.take()
        new = self.taken[before:]
        return sum(each.recv(len(STREAM), socket.MSG_PEEK) == STREAM for each in new)

    def die(self, code: int = -9) -> None:
        self.process.code = code
        self.close()

    def close(self) -> None:
        for connection in self.taken:
            connection.close()
        self.end.close()


class Players:
    """Starts played workers, and closes everything in the end."""

    def __init__(self) -> None:
        self.begun: list[PlayedWorker] = []

    def start(self, number: int, channel: socket.socket) -> PlayedProcess:
        player = PlayedWorker(number, channel.dup())
        self.begun.append(player)
        return player.process

    def worker(self, now: float = 0.0, *, ready: bool = True) -> tuple[Worker, PlayedWorker]:
        """A worker without a fleet, and who plays it."""
        ours, theirs = handoff.a_pair()
        with theirs:
            self.start(len(self.begun), theirs)
        player = self.begun[-1]
        worker = Worker(player.number, player.process, ours, now, now)
        if ready:
            player.report()
            worker.listen(now)
        return worker, player

    def close(self) -> None:
        for player in self.begun:
            player.close()
