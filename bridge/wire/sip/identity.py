"""Who we are in SIP: the address that peers are told, and what chance we are given."""

from __future__ import annotations

import zlib
from collections.abc import Callable
from dataclasses import dataclass

from bridge.wire.sip.headers import MAGIC, Via
from bridge.wire.sip.places import Transport
from bridge.wire.sip.uris import write_host_port

__all__ = ["Identity", "Random"]

Random = Callable[[], str]
"""A new random token with every call: letters and digits, 64 bits or more."""


@dataclass(frozen=True, slots=True)
class Identity:
    """`host` and `port` are what peers can reach from where they are."""

    host: str
    port: int
    random: Random
    user: str = "bridge"
    agent: str = "telephony-bridge"
    tls_port: int = 5061

    def contact(self, transport: Transport) -> str:
        """Contact: where requests within a dialog reach us."""
        way = "" if transport is Transport.UDP else f";transport={transport.lower()}"
        place = write_host_port(self.host, self._port(transport))
        return f"<sip:{self.user}@{place}{way}>"

    def via(self, transport: Transport) -> Via:
        """A Via with a branch that nobody used before."""
        parameters = (("rport", None), ("branch", MAGIC + self.random()))
        return Via(transport, self.host, self._port(transport), parameters)

    def fraction(self) -> float:
        """A random number from 0 to 1."""
        return zlib.crc32(self.random().encode()) / 2**32

    def _port(self, transport: Transport) -> int:
        return self.tls_port if transport is Transport.TLS else self.port
