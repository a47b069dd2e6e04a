"""
The worker's end of the channel: takes connections in, and reports.

A connection that was taken goes into the server's own protocol, as if the server had
accepted it itself.
"""

from __future__ import annotations

import asyncio
import logging
import signal
import socket
from collections.abc import Callable
from contextlib import suppress

import uvicorn

from bridge.serving.handoff import Report, receive, write_report

__all__ = ["ChannelIntake"]

LOOK_SECONDS = 0.05  # between two looks whether there is something new to report
REPORT_SECONDS = 0.2  # between two reports where there is nothing new
AT_ONCE = 64  # connections that are taken before somebody else has a turn
CLOSE_SECONDS = 1.0  # for the supervisor to close its half of the channel
SETTLE_SECONDS = 0.25  # for the request on a connection that was taken last

_log = logging.getLogger(__name__)


class ChannelIntake:
    """
    Feeds a server from a channel. `welcome` tells whether new calls are.

    When the supervisor is gone, the server is told to end.
    """

    def __init__(self, channel: socket.socket, welcome: Callable[[], bool]) -> None:
        channel.setblocking(False)
        self._channel = channel
        self._welcome = welcome
        self._server: uvicorn.Server | None = None
        self._taken = 0
        self._last = -SETTLE_SECONDS
        self._final = False
        self._at_end = asyncio.Event()
        self._adopting: set[asyncio.Task[None]] = set()
        self._streams: set[socket.socket | asyncio.BaseTransport] = set()
        """The transports of those that last, and the sockets of those that have none yet."""
        self._timer: asyncio.TimerHandle | None = None
        self._reported: Report | None = None
        self._reported_at = 0.0
        self._unsent = b""

    async def open(self, server: uvicorn.Server) -> None:
        """The server has begun."""
        self._server = server
        asyncio.get_running_loop().add_reader(self._channel, self._take)
        self._beat()

    async def close(self) -> None:
        """Take nothing more; return when what was on its way is there, in bounded time."""
        self._final = True
        self._report()
        with suppress(TimeoutError):
            await asyncio.wait_for(self._at_end.wait(), CLOSE_SECONDS)
        await asyncio.sleep(self._last + SETTLE_SECONDS - asyncio.get_running_loop().time())
        if self._timer is not None:
            self._timer.cancel()
        asyncio.get_running_loop().remove_reader(self._channel)
        self._channel.close()

    def _take(self) -> None:
        arrived: list[tuple[socket.socket, bool]] = []
        for _ in range(AT_ONCE):
            delivery = receive(self._channel)
            arrived += [(connection, delivery.stream) for connection in delivery.connections]
            self._taken += delivery.count
            if delivery.count > len(delivery.connections):
                _log.error("a connection was lost: this process has no descriptor left")
            if delivery.over:
                self._end()
            if not delivery.count:
                break
        if not arrived:
            return
        self._last = asyncio.get_running_loop().time()
        for connection, stream in arrived:
            if stream:
                self._streams.add(connection)
            task = asyncio.create_task(self._adopt(connection, stream=stream), name="adopt")
            self._adopting.add(task)
            task.add_done_callback(self._adopting.discard)
        # Before anything is read from them, which those tasks will do: the supervisor may
        # forget them now.
        self._report()

    async def _adopt(self, connection: socket.socket, *, stream: bool) -> None:
        server = self._server
        assert server is not None
        loop = asyncio.get_running_loop()
        make = server.config.http_protocol_class

        def protocol() -> asyncio.Protocol:
            return make(  # type: ignore[call-arg]
                config=server.config,
                server_state=server.server_state,
                app_state=server.lifespan.state,
                _loop=loop,
            )

        try:
            transport, _ = await loop.connect_accepted_socket(protocol, connection)
            if stream:
                self._streams.add(transport)
        except OSError:
            connection.close()  # whoever it was is gone already
        finally:
            self._streams.discard(connection)

    def _end(self) -> None:
        asyncio.get_running_loop().remove_reader(self._channel)
        self._at_end.set()
        if not self._final and self._server is not None:
            _log.error("the supervisor is gone: this worker ends, too")
            self._server.handle_exit(signal.SIGTERM, None)

    def _beat(self) -> None:
        loop = asyncio.get_running_loop()
        if self._now() != self._reported or loop.time() - self._reported_at >= REPORT_SECONDS:
            self._report()
        self._timer = loop.call_later(LOOK_SECONDS, self._beat)

    def _now(self) -> Report:
        assert self._server is not None
        connections = len(self._server.server_state.connections) + len(self._adopting)
        self._streams = {each for each in self._streams if not _is_closed(each)}
        streams = len(self._streams)
        return Report(self._taken, connections, streams, self._welcome(), self._final)

    def _report(self) -> None:
        self._reported, self._reported_at = self._now(), asyncio.get_running_loop().time()
        data = self._unsent + write_report(self._reported)
        # A report that does not fit is out of date before there is room for it. And where
        # the supervisor is gone, the reader will find that out.
        with suppress(OSError):
            self._unsent = data[self._channel.send(data) :]


def _is_closed(end: socket.socket | asyncio.BaseTransport) -> bool:
    return not isinstance(end, socket.socket) and end.is_closing()
