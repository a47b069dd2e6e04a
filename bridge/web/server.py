"""The HTTP server under the application: uvicorn, set up for calls."""

from __future__ import annotations

import asyncio
import signal
import socket
from types import FrameType
from typing import Protocol

import uvicorn
from starlette.types import ASGIApp

from bridge.web.app import Bridge
from bridge.web.direct import DirectProtocol

__all__ = ["Intake", "make_server"]

MAX_MESSAGE_SIZE = 64 * 1024  # bytes; a media frame has a few hundred
PING_SECONDS = 60.0  # lenient: 50 frames a second tell sooner whether a carrier is there
GRACE_SECONDS = 5  # for connections to close, after the calls are over
TICK_SECONDS = 0.25  # how often a server looks whether it was told to stop
LOOK_SECONDS = 0.1  # how often a drain looks whether it was told to hurry


class Intake(Protocol):
    """Where connections come from when the server does not listen itself."""

    async def open(self, server: uvicorn.Server) -> None:
        """The server has begun: let connections in."""

    async def close(self) -> None:
        """Let no more in; return when all that were on their way are there."""


def make_server(
    bridge: Bridge,
    host: str,
    port: int,
    *,
    app: ASGIApp | None = None,
    intake: Intake | None = None,
) -> uvicorn.Server:
    """
    A server that has not begun; `run` or `serve` begins. `app` stands before the bridge; with
    an `intake` it listens on nothing.

    A signal (or `should_exit`) lets it drain first: calls in progress go on for
    BRIDGE_DRAIN_SECONDS, and carriers are answered. With a second one it waits for no call,
    with a third one for nothing. (With an intake SIGTERM may come as often as it likes, and
    only SIGINT insists.)
    """
    config = uvicorn.Config(
        app or bridge,
        host=host,
        port=port,
        loop="uvloop",
        lifespan="on",
        log_config=None,
        access_log=False,
        server_header=False,
        ws=DirectProtocol,
        ws_max_size=MAX_MESSAGE_SIZE,
        ws_ping_interval=PING_SECONDS,
        ws_ping_timeout=PING_SECONDS,
        ws_per_message_deflate=False,
        timeout_graceful_shutdown=GRACE_SECONDS,
    )
    return _Server(config, bridge, intake)


class _Server(uvicorn.Server):
    def __init__(self, config: uvicorn.Config, bridge: Bridge, intake: Intake | None) -> None:
        super().__init__(config)
        self._bridge = bridge
        self._intake = intake
        self._hurry = False

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        if self._intake is None:
            await super().startup(sockets)
        else:
            await super().startup([])
            await self._intake.open(self)

    async def main_loop(self) -> None:
        # As uvicorn's, which wakes an idle worker ten times a second.
        stops = await self.on_tick(0)
        while not stops:
            await asyncio.sleep(TICK_SECONDS)
            stops = await self.on_tick(0)

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        # What a supervisor sends on, a platform may have sent to every process as well.
        if self._intake is not None and sig == signal.SIGTERM:
            self.should_exit = True
            return
        # Not raised again at the end, as uvicorn does it: to stop when told to is to end well.
        self.force_exit = self._hurry
        self._hurry = self.should_exit
        self.should_exit = True

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        draining = asyncio.create_task(self._bridge.drain(), name="drain")
        while not draining.done() and not self._hurry:
            await asyncio.wait([draining], timeout=LOOK_SECONDS)
        draining.cancel()
        await asyncio.gather(draining, return_exceptions=True)
        if self._intake is not None:
            await self._intake.close()
        await super().shutdown(sockets)
