"""
Whose packets are the other end's: symmetric RTP.

Rule: a stranger does not take over. The address that signalling names wins at once; another
one, of a caller behind NAT, has to send some packets in a row first, and once somebody is
known, an address is only exchanged for another when the known one is silent and the other
goes on with its stream, or comes from a host that is known.
"""

from __future__ import annotations

from dataclasses import dataclass

from bridge.wire.rtp.packet import Packet
from bridge.wire.rtp.payloads import Address

__all__ = ["Latch"]

_IN_A_ROW = 3  # packets of somebody new
_SILENT_SECONDS = 2.0  # of the known one, before another may follow
_FOLLOWS = 500  # sequence numbers that may be missing between the two


@dataclass(slots=True)
class _Candidate:
    source: Address
    ssrc: int
    sequence: int
    count: int = 1

    def goes_on(self, source: Address, packet: Packet) -> bool:
        follows = (packet.sequence - self.sequence) & 0xFFFF == 1
        return follows and source == self.source and packet.ssrc == self.ssrc


class Latch:
    """`expected` is what signalling says; with `learns` False nobody else is ever heard."""

    __slots__ = (
        "_before",
        "_candidate",
        "_heard",
        "_sequence",
        "_ssrc",
        "address",
        "expected",
        "learns",
    )

    def __init__(self, expected: Address | None, *, learns: bool = True) -> None:
        self.expected = expected
        self.learns = learns
        self.address: Address | None = None
        """Who is heard; None until somebody is."""
        self._before: Address | None = None
        self._candidate: _Candidate | None = None
        self._heard = float("-inf")
        self._ssrc = 0
        self._sequence = 0

    @property
    def target(self) -> Address | None:
        """Where our packets go."""
        return self.address or self.expected

    def expect(self, expected: Address | None) -> None:
        """Signalling says so now. Who was heard before is heard until somebody new comes."""
        if expected != self.expected:
            self.expected = expected
            self._before, self.address = self.address or self._before, None
            self._candidate = None

    def admits(self, source: Address, packet: Packet, now: float) -> bool:
        """Whether a packet from `source` is the other end's."""
        if source == self.address or (source != self._before and self._is_new(source, packet, now)):
            self.address = source
            self._before = None
            self._heard = now
            self._ssrc, self._sequence = packet.ssrc, packet.sequence
            return True
        return source == self._before

    def _is_new(self, source: Address, packet: Packet, now: float) -> bool:
        """Whether somebody who is not known yet is the other end from now on."""
        if source == self.expected:
            return True
        if not self.learns:
            return False
        if self.address is None:
            return self._at_home(source) or self._in_a_row(source, packet)
        if now - self._heard < _SILENT_SECONDS:
            return False
        known = self._at_home(source) or source[0] == self.address[0]
        return (known or self._follows(packet)) and self._in_a_row(source, packet)

    def _at_home(self, source: Address) -> bool:
        return self.expected is not None and source[0] == self.expected[0]

    def _follows(self, packet: Packet) -> bool:
        missing = (packet.sequence - self._sequence) & 0xFFFF
        return packet.ssrc == self._ssrc and 0 < missing < _FOLLOWS

    def _in_a_row(self, source: Address, packet: Packet) -> bool:
        candidate = self._candidate
        if candidate is None or not candidate.goes_on(source, packet):
            self._candidate = _Candidate(source, packet.ssrc, packet.sequence)
            return False
        candidate.sequence = packet.sequence
        candidate.count += 1
        if candidate.count < _IN_A_ROW:
            return False
        self._candidate = None
        return True
