"""Where messages come from and go to."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

__all__ = ["Place", "Transport"]


class Transport(StrEnum):
    """What carries a message. All but UDP are reliable."""

    UDP = "UDP"
    TCP = "TCP"
    TLS = "TLS"

    @property
    def reliable(self) -> bool:
        return self is not Transport.UDP

    @property
    def port(self) -> int:
        """The port where none is named."""
        return 5061 if self is Transport.TLS else 5060


@dataclass(frozen=True, slots=True)
class Place:
    """
    A peer's address. `host` is an IP address for what came in, and may be a name for what
    goes out. `connection` names the stream that a message came by, and by which what
    answers it should go back; 0: none, or any.
    """

    transport: Transport
    host: str
    port: int
    connection: int = 0
