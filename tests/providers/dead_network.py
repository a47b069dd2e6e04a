"""
A connection to a provider over a network that dies: a program, to be run in a network of its own.

    unshare --user --map-root-user --net python -m tests.providers.dead_network

Both ends are here. Once they talk, the only interface is taken down: nothing that is sent
arrives, and nobody says so. Prints after how many seconds the socket knew.
"""

from __future__ import annotations

import asyncio
import fcntl
import os
import socket
import struct
import time

from websockets.asyncio.server import ServerConnection, serve

from bridge.providers.socket import ProviderSocket

SIOCSIFFLAGS, IFF_UP = 0x8914, 0x1  # linux/sockios.h, linux/if.h
FRAME = "x" * 300
PATIENCE = 20.0


def loopback(flags: int) -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as any_socket:
        request = struct.pack("16sh14x", b"lo", flags)
        fcntl.ioctl(any_socket, SIOCSIFFLAGS, request)


async def listen(connection: ServerConnection) -> None:
    async for _ in connection:
        pass


async def talk(connection: ProviderSocket, over: asyncio.Event, seconds: float) -> None:
    """As a caller does: 50 frames a second."""
    until = time.monotonic() + seconds
    while not over.is_set() and time.monotonic() < until:
        connection.send(FRAME)
        await asyncio.sleep(0.02)


async def main() -> None:
    loopback(IFF_UP)
    over = asyncio.Event()
    async with serve(listen, "127.0.0.1", 0, ping_interval=None) as server:
        port = next(iter(server.sockets)).getsockname()[1]
        connection = await ProviderSocket.connect(
            f"ws://127.0.0.1:{port}",
            on_message=lambda message: None,
            on_close=lambda code, reason: over.set(),
            ping_interval=None,
        )
        await talk(connection, over, 0.3)
        loopback(0)
        began = time.monotonic()
        await talk(connection, over, PATIENCE)
        print(f"{time.monotonic() - began:.2f}", flush=True)
        os._exit(0)  # the other end would wait for its goodbye for long


if __name__ == "__main__":
    asyncio.run(main())
