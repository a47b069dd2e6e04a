"""
Hosts' names and their addresses.

Rule: an address is its own name, and costs nothing. What was looked up is known for a while,
so that it is not asked for with each message.
"""

from __future__ import annotations

import asyncio
import ipaddress
import socket

__all__ = ["Names"]

SECONDS = 60.0  # for which an answer counts
MOST = 500  # names that are remembered


class Names:
    """`family` of the addresses that can be sent to."""

    def __init__(self, family: socket.AddressFamily) -> None:
        self._family = family
        self._version = 6 if family is socket.AF_INET6 else 4
        self._known: dict[str, tuple[float, str]] = {}

    def known(self, host: str, now: float) -> str | None:
        """
        The address, if it need not be looked up. An address of the other family is looked up
        as a name is, in vain.
        """
        try:
            version = ipaddress.ip_address(host).version
        except ValueError:
            until, address = self._known.get(host, (0.0, ""))
            return address if now < until else None
        return host if version == self._version else None

    async def look_up(self, host: str) -> str:
        """Raises OSError."""
        loop = asyncio.get_running_loop()
        found = await loop.getaddrinfo(host, None, family=self._family, type=socket.SOCK_DGRAM)
        address = str(found[0][4][0])
        if len(self._known) >= MOST:
            self._known.clear()
        self._known[host] = loop.time() + SECONDS, address
        return address
