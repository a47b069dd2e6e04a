"""
A bad line between a telephone and a bridge: audio packets get lost, late, and out of order.

It stands where both can reach it and changes the ports in their descriptions (SDP), so that
audio goes through it both ways. What is said in SIP arrives. The dice are seeded.
"""

from __future__ import annotations

import asyncio
import random
import re
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

from tests.fakes.sipp import HOST

__all__ = ["BadLine", "bad_line"]

Address = tuple[str, int]

_MEDIA = re.compile(rb"(?<=\r\nm=audio )\d+")
_LENGTH = re.compile(rb"(?<=\r\nContent-Length:)[ ]*\d+")


@dataclass
class BadLine:
    """`loss` is a share, `jitter` the most seconds by which a packet is late."""

    bridge: Address
    loss: float
    jitter: float
    dice: random.Random = field(repr=False)
    lost: int = 0
    passed: int = 0
    late: int = 0
    """Packets that came after one that was sent later."""

    async def open(self) -> None:
        self._loop = asyncio.get_running_loop()
        self._telephone: Address | None = None
        self._audio_to: dict[str, Address] = {}
        self._newest: dict[str, int] = {}
        self._sent = 0
        self._sip_to_phone, self.port = await self._listen(self._from_phone)
        self._sip_to_bridge, _ = await self._listen(self._from_bridge)
        self._rtp_to_phone, self._phones_port = await self._listen(self._said_by_phone)
        self._rtp_to_bridge, self._bridges_port = await self._listen(self._said_by_bridge)

    def close(self) -> None:
        for each in (
            *(self._sip_to_phone, self._sip_to_bridge),
            *(self._rtp_to_phone, self._rtp_to_bridge),
        ):
            each.close()

    def _from_phone(self, data: bytes, source: Address) -> None:
        self._telephone = source
        self._sip_to_bridge.sendto(self._led("phone", data, self._bridges_port), self.bridge)

    def _from_bridge(self, data: bytes, source: Address) -> None:
        if self._telephone is not None:
            self._sip_to_phone.sendto(self._led("bridge", data, self._phones_port), self._telephone)

    def _said_by_phone(self, data: bytes, source: Address) -> None:
        self._carry("bridge", data, self._rtp_to_bridge)

    def _said_by_bridge(self, data: bytes, source: Address) -> None:
        self._carry("phone", data, self._rtp_to_phone)

    def _led(self, who: str, data: bytes, port: int) -> bytes:
        """The message, with the audio it asks for led through here."""
        if (asked := _MEDIA.search(data)) is None:
            return data
        self._audio_to[who] = (HOST, int(asked[0]))
        head, _, body = data.partition(b"\r\n\r\n")
        body = _MEDIA.sub(str(port).encode(), b"\r\n" + body)[2:]
        head = _LENGTH.sub(f" {len(body)}".encode(), head)
        return head + b"\r\n\r\n" + body

    def _carry(self, to: str, data: bytes, by: asyncio.DatagramTransport) -> None:
        if self.dice.random() < self.loss:
            self.lost += 1
            return
        self._sent += 1
        delay = self.dice.uniform(0.0, self.jitter)
        self._loop.call_later(delay, self._arrive, to, data, by, self._sent)

    def _arrive(self, to: str, data: bytes, by: asyncio.DatagramTransport, number: int) -> None:
        if by.is_closing() or to not in self._audio_to:
            return
        self.passed += 1
        self.late += number < self._newest.get(to, 0)
        self._newest[to] = max(number, self._newest.get(to, 0))
        by.sendto(data, self._audio_to[to])

    async def _listen(
        self, told: Callable[[bytes, Address], None]
    ) -> tuple[asyncio.DatagramTransport, int]:
        transport, _ = await self._loop.create_datagram_endpoint(
            lambda: _Ear(told), local_addr=(HOST, 0)
        )
        return transport, transport.get_extra_info("sockname")[1]


class _Ear(asyncio.DatagramProtocol):
    def __init__(self, told: Callable[[bytes, Address], None]) -> None:
        self._told = told

    def datagram_received(self, data: bytes, addr: tuple[Any, ...]) -> None:
        self._told(data, (addr[0], addr[1]))


@asynccontextmanager
async def bad_line(
    bridge: int, *, loss: float, jitter: float, seed: int = 1
) -> AsyncIterator[BadLine]:
    """To the bridge on this port, for one call."""
    line = BadLine((HOST, bridge), loss, jitter, random.Random(seed))
    await line.open()
    try:
        yield line
    finally:
        line.close()
