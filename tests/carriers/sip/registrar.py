"""A registrar that wants a password, and remembers who is where."""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any, cast

from bridge.wire.sip import reader
from bridge.wire.sip.guard import Challenged, Guard
from bridge.wire.sip.messages import Request
from tests.carriers.sip.phone import HOST
from tests.wire.sip.scripts import response_to

__all__ = ["Registrar", "registrar"]


class Registrar(asyncio.DatagramProtocol):
    def __init__(self, users: dict[str, str]) -> None:
        numbers = itertools.count()
        self._guard = Guard(HOST, users, b"secret", lambda: str(next(numbers)))
        self._loop = asyncio.get_running_loop()
        self.registered: list[tuple[str, int]] = []
        """Contacts, and for how many seconds; 0: no more."""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.DatagramTransport", transport)

    def datagram_received(self, data: bytes, addr: Any) -> None:
        request = reader.read(data)
        assert isinstance(request, Request)
        checked = self._guard.check(request, self._loop.time())
        if isinstance(checked, Challenged):
            answer = response_to(request, 401, checked.headers, tag="r")
        else:
            contact, expires = request.first("Contact") or "", request.first("Expires") or ""
            self.registered.append((contact, int(expires)))
            answer = response_to(request, 200, (("Expires", expires),), tag="r")
        self._transport.sendto(answer.render(), addr)


@asynccontextmanager
async def registrar(**users: str) -> AsyncIterator[tuple[Registrar, int]]:
    """A registrar and its port."""
    loop = asyncio.get_running_loop()
    transport, protocol = await loop.create_datagram_endpoint(
        lambda: Registrar(users), local_addr=(HOST, 0)
    )
    try:
        yield protocol, transport.get_extra_info("sockname")[1]
    finally:
        transport.close()
