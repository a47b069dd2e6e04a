"""
The UDP ports of the calls' audio: RTP on an even one, RTCP on the one above.

Rule: a port that was just given back is taken again as late as possible, so that what is still
on its way to an old call does not come to a new one.
"""

from __future__ import annotations

import asyncio
import ipaddress
import socket
from collections.abc import Callable

__all__ = ["PortPair", "Ports"]

MAX_SIZE = 2048  # bytes of a datagram

Datagram = Callable[[bytes, tuple[str, int]], None]
"""Told of each datagram, and of the host and port that it came from."""


class PortPair:
    """
    Two bound sockets. Reading is told, writing never waits: a datagram for which the system
    has no room is lost, as it might be on its way.
    """

    def __init__(self, rtp: socket.socket, rtcp: socket.socket) -> None:
        self._rtp = rtp
        self._rtcp = rtcp
        self._loop = asyncio.get_running_loop()
        self.port: int = rtp.getsockname()[1]
        self.rtcp_port: int = rtcp.getsockname()[1]
        self.unsent = 0
        """Datagrams that were lost here."""

    def open(self, rtp: Datagram, rtcp: Datagram) -> None:
        """Hand on what comes, in the turn of the loop in which it comes."""
        self._loop.add_reader(self._rtp.fileno(), self._read, self._rtp, rtp)
        self._loop.add_reader(self._rtcp.fileno(), self._read, self._rtcp, rtcp)

    def send_rtp(self, data: bytes, to: tuple[str, int]) -> None:
        self._send(self._rtp, data, to)

    def send_rtcp(self, data: bytes, to: tuple[str, int]) -> None:
        self._send(self._rtcp, data, to)

    def close(self) -> None:
        """Twice is the same as once."""
        for one in (self._rtp, self._rtcp):
            if one.fileno() >= 0:
                self._loop.remove_reader(one.fileno())
                one.close()

    def _send(self, sender: socket.socket, data: bytes, to: tuple[str, int]) -> None:
        try:
            sender.sendto(data, to)
        except OSError:
            self.unsent += 1

    def _read(self, receiver: socket.socket, told: Datagram) -> None:
        try:
            # One in each turn: as a rule there is no second, and to ask for it costs as much.
            data, source = receiver.recvfrom(MAX_SIZE)
        except OSError:  # what was sent has come back as an error, or it was closed
            return
        told(data, source[:2])


class Ports:
    """`host` is where they are bound; `first` and `last` are a range."""

    def __init__(self, host: str, first: int, last: int) -> None:
        version = ipaddress.ip_address(host).version
        self._family = socket.AF_INET if version == 4 else socket.AF_INET6
        self._host = host
        self._pairs = range(first + first % 2, last, 2)
        self._next = 0

    def take(self) -> PortPair | None:
        """The next two that are free; None: there are none."""
        for _ in range(len(self._pairs)):
            port = self._pairs[self._next]
            self._next = (self._next + 1) % len(self._pairs)
            if (pair := self._bind(port)) is not None:
                return pair
        return None

    def _bind(self, port: int) -> PortPair | None:
        bound: list[socket.socket] = []
        try:
            for each in (port, port + 1):
                one = socket.socket(self._family, socket.SOCK_DGRAM)
                bound.append(one)
                one.setblocking(False)
                one.bind((self._host, each))
        except OSError:
            for one in bound:
                one.close()
            return None
        return PortPair(bound[0], bound[1])
