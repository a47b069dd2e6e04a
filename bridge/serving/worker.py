"""A process that serves: alone, or as one of several under a supervisor."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Awaitable, Callable
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

import uvicorn
import uvloop

from bridge.serving.front import Front
from bridge.serving.garbage import Cleaning
from bridge.serving.intake import ChannelIntake
from bridge.serving.scrape import Scrape
from bridge.serving.watchdog import Watchdog
from bridge.web.app import Bridge
from bridge.web.server import make_server

__all__ = ["Post", "serve", "serve_at"]


@dataclass(frozen=True, slots=True)
class Post:
    """A worker's place under its supervisor."""

    channel: int
    """The descriptor of its end of the channel."""
    number: int
    """Its own among those at work."""
    directory: Path
    """Where the workers ask each other for their metrics."""


def serve(bridge: Bridge, host: str, port: int) -> None:
    """Listen and serve until a signal says stop. Raises SystemExit where it cannot begin."""
    _run(bridge, make_server(bridge, host, port))


def serve_at(post: Post, bridge: Bridge) -> None:
    """Serve the connections that the supervisor gives; else as `serve`."""
    with ExitStack() as stack:
        channel = stack.enter_context(socket.socket(fileno=post.channel))
        channel.set_inheritable(False)
        place = _Place(bridge, post, channel)
        front = Front(bridge, place.page)
        _run(bridge, make_server(bridge, "", 0, app=front, intake=place))


def _run(bridge: Bridge, server: uvicorn.Server) -> None:
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(_watched(bridge, server.serve))


async def _watched(bridge: Bridge, serve: Callable[[], Awaitable[None]]) -> None:
    with Watchdog(), Cleaning(lambda: bridge.busy):
        await serve()


class _Place:
    """The intake of a supervised worker, and its share in the page of metrics."""

    def __init__(self, bridge: Bridge, post: Post, channel: socket.socket) -> None:
        self._bridge = bridge
        self._intake = ChannelIntake(channel, lambda: bridge.service.refusal is None)
        self._scrape = Scrape(lambda: self._own()[0], post.number, post.directory)

    async def open(self, server: uvicorn.Server) -> None:
        await self._scrape.open()
        await self._intake.open(server)

    async def close(self) -> None:
        await self._intake.close()
        await self._scrape.close()

    async def page(self) -> tuple[bytes, str]:
        """The metrics of all workers, and the content type of that."""
        return await self._scrape.page(), self._own()[1]

    def _own(self) -> tuple[bytes, str]:
        service = self._bridge.service
        service.tallies.update()
        return service.metrics.render()
