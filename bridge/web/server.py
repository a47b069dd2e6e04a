"""The HTTP server under the application: uvicorn, set up for calls."""

from __future__ import annotations

import asyncio
import socket
from types import FrameType

import uvicorn

from bridge.web.app import Bridge

__all__ = ["make_server"]

MAX_MESSAGE_SIZE = 64 * 1024  # bytes; a media frame has a few hundred
PING_SECONDS = 60.0  # lenient: 50 frames a second tell sooner whether a carrier is there
GRACE_SECONDS = 5  # for connections to close, after the calls are over
LOOK_SECONDS = 0.1  # how often a drain looks whether it was told to hurry


def make_server(bridge: Bridge, host: str, port: int) -> uvicorn.Server:
    """
    A server that has not begun; `run` or `serve` begins.

    A signal (or `should_exit`) lets it drain first: calls in progress go on for
    BRIDGE_DRAIN_SECONDS, and carriers are answered. With a second one it waits for no call,
    with a third one for nothing.
    """
    config = uvicorn.Config(
        bridge,
        host=host,
        port=port,
        loop="uvloop",
        lifespan="on",
        log_config=None,
        access_log=False,
        server_header=False,
        ws="websockets-sansio",
        ws_max_size=MAX_MESSAGE_SIZE,
        ws_ping_interval=PING_SECONDS,
        ws_ping_timeout=PING_SECONDS,
        ws_per_message_deflate=False,
        timeout_graceful_shutdown=GRACE_SECONDS,
    )
    return _Server(config, bridge)


class _Server(uvicorn.Server):
    def __init__(self, config: uvicorn.Config, bridge: Bridge) -> None:
        super().__init__(config)
        self._bridge = bridge
        self._hurry = False

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
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
        await super().shutdown(sockets)
