"""A media stream of the carrier's and the socket that carries it, for as long as both last."""

from __future__ import annotations

import asyncio

from bridge.simulator.journal import Journal
from bridge.simulator.media_socket import BROKEN, Closed, MediaSocket, open_media_socket
from bridge.simulator.network import Network
from bridge.simulator.stream import CarrierStream, StreamIdentity

__all__ = ["Connection"]


class Connection:
    """
    Opens the socket, hands messages to the stream, and tells how it ended.

    `over` is done when the stream has ended, by whatever cause.
    """

    def __init__(self, identity: StreamIdentity, journal: Journal) -> None:
        self._loop = asyncio.get_running_loop()
        self._socket: MediaSocket | None = None
        self.stream = CarrierStream(identity, self._send, journal)
        self.over: asyncio.Future[Closed] = self._loop.create_future()

    @property
    def congested(self) -> bool:
        """Whether the bridge does not read what it is sent."""
        return self._socket is not None and self._socket.congested

    async def open(self, network: Network, url: str, headers: dict[str, str]) -> None:
        """Connect. Raises HandshakeFailed. May be cancelled."""
        self._socket = await open_media_socket(network, url, headers, self)
        self.stream.connect()

    def text(self, message: str) -> None:
        self.stream.text(message, self._loop.time())

    def binary(self, size: int) -> None:
        self.stream.binary(size, self._loop.time())

    def closed(self, how: Closed) -> None:
        self.stream.end(self._loop.time())
        if not self.over.done():
            self.over.set_result(how)

    def cut(self) -> None:
        """Break the socket without a word; the stream is over, the call is not."""
        if self._socket is not None:
            self._socket.abort()
        self.closed(Closed(BROKEN, "the line was cut", broken=True))

    async def hang_up(self) -> None:
        """The call is over: say so, and close in good order."""
        self.stream.stop(self._loop.time())
        if self._socket is not None:
            await self._socket.close()
        self.closed(Closed(0, "the call is over"))

    def abort(self) -> None:
        """Let go of the socket at once."""
        if self._socket is not None:
            self._socket.abort()

    def _send(self, message: str) -> None:
        if self._socket is not None:
            self._socket.send(message)
