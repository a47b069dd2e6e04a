"""
SIP's sockets: UDP, TCP and TLS, and which of them a message goes out by.

Rule: sending never waits. What has to wait for a name or a connection waits here, bounded,
and whoever cannot be reached is told of.
"""

from __future__ import annotations

import asyncio
import errno
import ipaddress
import itertools
import logging
import socket
import ssl
from collections import Counter
from collections.abc import Callable, Coroutine, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from typing import Any

from bridge.carriers.sip.names import Names
from bridge.carriers.sip.stream import Stream
from bridge.errors import CarrierError
from bridge.wire.sip.places import Place, Transport

__all__ = ["Tls", "Transports"]

MOST_STREAMS = 1_000
MOST_OF_ONE_HOST = 100  # streams
MOST_WAITING = 50  # messages for one place
CONNECT_SECONDS = 5.0
ANY_PORT_TRIES = 20

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Tls:
    """How TLS is spoken by whoever is called and by whoever calls."""

    server: ssl.SSLContext | None = None
    client: ssl.SSLContext | None = None
    """None: the system's authorities are trusted."""


class Transports:
    """`receive` is handed every message; `unreachable` every place that cannot be sent to."""

    def __init__(
        self,
        receive: Callable[[bytes, Place], None],
        unreachable: Callable[[Place], None],
        tls: Tls | None = None,
        *,
        most_of_one_host: int = MOST_OF_ONE_HOST,
    ) -> None:
        self._most_of_one_host = most_of_one_host
        self._receive = receive
        self._unreachable = unreachable
        self._tls = tls or Tls()
        self._loop = asyncio.get_running_loop()
        self._names = Names(socket.AF_INET)
        self._udp: asyncio.DatagramTransport | None = None
        self._servers: list[asyncio.Server] = []
        self._numbers = itertools.count(1)
        self._streams: dict[int, Stream] = {}
        self._of_host: Counter[str] = Counter()
        self._ways: dict[Place, Stream] = {}
        """Streams by whom they lead to, and by the names we opened them for."""
        self._waiting: dict[Place, list[bytes]] = {}
        self._tasks: set[asyncio.Task[None]] = set()
        self._closed: asyncio.Event = asyncio.Event()
        self.ports: dict[Transport, int] = {}
        """On which it is listened."""

    async def open(self, places: Sequence[Place]) -> None:
        """Listen, all at one address; raises CarrierError."""
        if places and ipaddress.ip_address(places[0].host).version == 6:
            self._names = Names(socket.AF_INET6)
        # UDP first: where any port will do, the others take the same.
        ordered = sorted(places, key=lambda place: place.transport is not Transport.UDP)
        anywhere = all(not place.port for place in places)
        for tries_left in reversed(range(ANY_PORT_TRIES if anywhere else 1)):
            try:
                for place in ordered:
                    await self._listen(place)
            except OSError as exc:
                await self.close()
                if (
                    tries_left
                    and exc.errno == errno.EADDRINUSE
                    and all(not place.port for place in places)
                ):
                    continue
                raise CarrierError(f"SIP cannot listen: {exc.strerror}") from exc
            return

    def send(self, data: bytes, to: Place) -> None:
        """Send a message, now or as soon as its way is known."""
        if to.transport is Transport.UDP:
            self._send_datagram(data, to)
            return
        stream = self._streams.get(to.connection) or self._ways.get(replace(to, connection=0))
        if stream is None or not stream.write(data):
            self._wait(data, to)

    async def close(self) -> None:
        """Close everything. What is written goes out first, if that does not take long."""
        for task in tuple(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        for server in self._servers:
            server.close()
        if self._udp is not None:
            self._udp.close()
        await self._close_streams()
        self._servers.clear()
        self._udp = None

    # What happens on the sockets

    def came(self, data: bytes, source: Place) -> None:
        self._receive(data, source)

    def stream_opened(self, stream: Stream) -> bool:
        host = stream.place.host
        crowded = (
            len(self._streams) >= MOST_STREAMS or self._of_host[host] >= self._most_of_one_host
        )
        if crowded and not stream.ours:
            return False
        self._streams[stream.place.connection] = stream
        self._of_host[host] += 1
        self._ways[replace(stream.place, connection=0)] = stream
        return True

    def stream_closed(self, stream: Stream) -> None:
        if self._streams.pop(stream.place.connection, None) is None:
            return
        self._of_host[stream.place.host] -= 1
        if not self._of_host[stream.place.host]:
            del self._of_host[stream.place.host]
        ways = [way for way, one in self._ways.items() if one is stream]
        for way in ways:
            del self._ways[way]
        for way in (stream.place, *ways):
            self._unreachable(way)
        if not self._streams:
            self._closed.set()

    # How

    async def _listen(self, place: Place) -> None:
        if place.transport is Transport.UDP:
            self._udp = await self._open_udp(place)
            self.ports[Transport.UDP] = self._udp.get_extra_info("sockname")[1]
            return
        tls = self._tls.server if place.transport is Transport.TLS else None
        port = place.port or (0 if tls else self.ports.get(Transport.UDP, 0))
        server = await self._loop.create_server(
            lambda: Stream(place.transport, next(self._numbers), self, ours=False),
            place.host,
            port,
            ssl=tls,
        )
        self._servers.append(server)
        self.ports[place.transport] = server.sockets[0].getsockname()[1]

    async def _open_udp(self, place: Place) -> asyncio.DatagramTransport:
        transport, _ = await self._loop.create_datagram_endpoint(
            lambda: _Datagrams(self), local_addr=(place.host, place.port)
        )
        return transport

    def _send_datagram(self, data: bytes, to: Place) -> None:
        address = self._names.known(to.host, self._loop.time())
        if self._udp is None:
            self._loop.call_soon(self._unreachable, to)
        elif address is not None:
            self._udp.sendto(data, (address, to.port))
        else:
            self._wait(data, to)

    def _wait(self, data: bytes, to: Place) -> None:
        """Find the way to a place; several messages may wait for it."""
        if (waiting := self._waiting.get(to)) is not None:
            if len(waiting) < MOST_WAITING:
                waiting.append(data)
            return
        self._waiting[to] = [data]
        self._begin(self._reach(to))

    async def _reach(self, to: Place) -> None:
        try:
            async with asyncio.timeout(CONNECT_SECONDS):
                address = self._names.known(to.host, self._loop.time())
                if address is None:
                    address = await self._names.look_up(to.host)
                if to.transport is not Transport.UDP:
                    await self._connect(to, address)
        except (OSError, TimeoutError, UnicodeError) as exc:
            _log.warning("a SIP peer cannot be reached over %s: %r", to.transport, type(exc))
            self._waiting.pop(to, None)
            self._unreachable(to)
            return
        for data in self._waiting.pop(to, []):
            self.send(data, to)

    async def _connect(self, to: Place, address: str) -> None:
        tls = None
        if to.transport is Transport.TLS:
            tls = self._tls.client or ssl.create_default_context()
        _, stream = await self._loop.create_connection(
            lambda: Stream(to.transport, next(self._numbers), self, ours=True),
            address,
            to.port,
            ssl=tls,
            server_hostname=to.host if tls else None,
        )
        self._ways[replace(to, connection=0)] = stream

    def _begin(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.create_task(work, name="sip")
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _close_streams(self) -> None:
        if not self._streams:
            return
        self._closed.clear()
        for stream in tuple(self._streams.values()):
            stream.close()
        with suppress(TimeoutError):
            async with asyncio.timeout(1.0):
                await self._closed.wait()
        for stream in tuple(self._streams.values()):
            stream.abort()


class _Datagrams(asyncio.DatagramProtocol):
    def __init__(self, owner: Transports) -> None:
        self._owner = owner

    def datagram_received(self, data: bytes, addr: tuple[Any, ...]) -> None:
        self._owner.came(data, Place(Transport.UDP, *addr[:2]))
