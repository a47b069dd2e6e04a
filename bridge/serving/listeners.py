"""The sockets that a supervisor listens on."""

from __future__ import annotations

import socket
from contextlib import ExitStack

__all__ = ["listen"]

DEFER_SECONDS = 1  # for which the kernel waits for the first bytes of a connection
BACKLOG = 2_048  # connections that the kernel holds while nobody accepts


def listen(host: str, port: int) -> list[socket.socket]:
    """
    One for each address that `host` stands for; port 0 takes one that is free.

    Raises OSError, whose text names the address.
    """
    with ExitStack() as opened:
        listeners: list[socket.socket] = []
        for family, address in _addresses(host, port):
            # Whatever is free for the first address has to do for the others.
            wanted = listeners[0].getsockname()[1] if listeners else port
            listener = _listener(family, address, wanted)
            listeners.append(opened.enter_context(listener))
        opened.pop_all()
    return listeners


def _addresses(host: str, port: int) -> list[tuple[socket.AddressFamily, str]]:
    try:
        found = socket.getaddrinfo(
            host or None, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
        )
    except socket.gaierror as exc:
        raise OSError(exc.errno, f"cannot listen on {host}: {exc.strerror}") from exc
    return list(dict.fromkeys((family, str(address[0])) for family, *_, address in found))


def _listener(family: socket.AddressFamily, address: str, port: int) -> socket.socket:
    try:
        listener = socket.create_server((address, port), family=family, backlog=BACKLOG)
    except OSError as exc:
        reason = (exc.strerror or "").lower()
        raise OSError(exc.errno, f"cannot listen on {address}:{port}: {reason}") from exc
    listener.setblocking(False)
    if hasattr(socket, "TCP_DEFER_ACCEPT"):
        # Whoever is accepted has said something, by which it can be told what it wants.
        listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_DEFER_ACCEPT, DEFER_SECONDS)
    return listener
