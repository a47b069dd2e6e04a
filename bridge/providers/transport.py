"""What lies below a provider's WebSocket: its address, the options of TCP, whom TLS trusts."""

from __future__ import annotations

import functools
import socket as sockets
import ssl

from websockets.exceptions import InvalidURI
from websockets.uri import WebSocketURI, parse_uri

from bridge.errors import ConnectError

__all__ = ["address", "default_context", "set_options"]

UNSENT_SIZE = 16 * 1024  # bytes the kernel may hold unsent, so that a full buffer is seen
UNACKNOWLEDGED_MS = 5_000  # how long the peer's machine may leave what we sent unacknowledged


def address(url: str) -> WebSocketURI:
    """The parts of a ws:// or wss:// URL. Raises ConnectError, and repeats nothing of it."""
    try:
        return parse_uri(url)
    except (InvalidURI, ValueError):
        raise ConnectError("the provider's URL is not a WebSocket URL", retryable=False) from None


def set_options(raw: sockets.socket | None) -> None:
    """Send at once, hold little back, and notice a peer that is gone, where the system can."""
    if raw is None:
        return
    raw.setsockopt(sockets.IPPROTO_TCP, sockets.TCP_NODELAY, 1)
    if hasattr(sockets, "TCP_NOTSENT_LOWAT"):
        raw.setsockopt(sockets.IPPROTO_TCP, sockets.TCP_NOTSENT_LOWAT, UNSENT_SIZE)
    if hasattr(sockets, "TCP_USER_TIMEOUT"):
        raw.setsockopt(sockets.IPPROTO_TCP, sockets.TCP_USER_TIMEOUT, UNACKNOWLEDGED_MS)


@functools.cache
def default_context() -> ssl.SSLContext:
    """Reading the certificates takes milliseconds and memory: once a process."""
    return ssl.create_default_context()
