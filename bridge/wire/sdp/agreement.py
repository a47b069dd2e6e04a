"""What both ends of a call agreed on, and what the words of one end amount to."""

from __future__ import annotations

import ipaddress
from dataclasses import dataclass, field

from bridge.audio.formats import ALAW_8K, ULAW_8K, AudioFormat
from bridge.wire.rtp.payloads import Address, Outgoing, Payloads
from bridge.wire.sdp.description import Description, Media
from bridge.wire.sdp.direction import Direction
from bridge.wire.sdp.faults import NotAcceptable, Refusal, SdpError
from bridge.wire.sdp.reader import read_address

__all__ = ["Agreement", "Capabilities", "Local", "check_transport", "packet_ms", "places"]

_PLAIN = ("RTP/AVP", "RTP/AVPF")
_SHORTEST_MS, _LONGEST_MS, _STEP_MS = 10, 60, 10
_MAX_PORT = 65_535
_BROADCAST = "255.255.255.255"


@dataclass(frozen=True, slots=True)
class Local:
    """
    Our end of the audio, as others reach it. `rtcp_port` None: the port above `port`; equal
    to `port`: there is no other, and RTCP works with those alone who multiplex it.
    """

    address: str = field(repr=False)
    port: int
    rtcp_port: int | None = None


@dataclass(frozen=True, slots=True)
class Capabilities:
    """`codecs`: G.711, those we like better first. They order our offers, not our answers."""

    codecs: tuple[AudioFormat, ...] = (ULAW_8K, ALAW_8K)
    ptime_ms: int = 20
    """How much audio a packet of ours holds where the other end does not care."""


@dataclass(frozen=True, slots=True)
class Agreement:
    """The audio of a call from now on, seen from our end."""

    remote: Address = field(repr=False)
    """Where RTP goes until the other end is known by what it sends; may name a host."""
    remote_rtcp: Address = field(repr=False)
    format: AudioFormat
    """What we send."""
    payload_type: int
    """Its number in our packets."""
    payloads: Payloads
    """What may come in."""
    events: int | None
    """The number of the keys that we press; None: the other end takes none."""
    ptime_ms: int
    """How much audio a packet of ours holds."""
    direction: Direction
    """What we do: a call on hold does not receive, does not send, or neither."""
    rtcp_mux: bool
    """RTCP comes and goes by the port of RTP."""

    @property
    def outgoing(self) -> Outgoing:
        """For our sender."""
        sends = self.direction.sends
        return Outgoing(self.payload_type, self.format, self.ptime_ms, self.events, sends)


def check_transport(media: Media) -> None:
    """Raises NotAcceptable unless it is plain RTP over UDP."""
    protocol = media.protocol.upper()
    if protocol in _PLAIN:
        return
    encrypted = "SAVP" in protocol
    raise NotAcceptable(Refusal.ENCRYPTED if encrypted else Refusal.TRANSPORT)


def places(
    description: Description, media: Media, local: Local, *, mux: bool
) -> tuple[Address, Address]:
    """Where RTP and RTCP go. Raises NotAcceptable for what cannot be sent to, and SdpError."""
    host = media.address or description.address or ""
    _check_host(host, local)
    rtp = (host, media.port)
    said = media.first("rtcp")
    if mux:
        return rtp, rtp
    if said is None:
        return rtp, (host, min(media.port + 1, _MAX_PORT))
    return rtp, _rtcp_place(said, host, local)


def packet_ms(media: Media, otherwise_ms: int) -> int:
    """How much audio the other end wants in a packet, in steps that G.711 is sent in."""
    wished = _milliseconds(media.first("ptime")) or otherwise_ms
    most = _milliseconds(media.first("maxptime")) or _LONGEST_MS
    wished = min(wished, most, _LONGEST_MS)
    return max(wished - wished % _STEP_MS, _SHORTEST_MS)


def _rtcp_place(said: str, host: str, local: Local) -> Address:
    port, _, place = said.strip().partition(" ")  # RFC 3605
    if not (port.isascii() and port.isdigit() and 0 < int(port[:6]) <= _MAX_PORT):
        raise NotAcceptable(Refusal.ADDRESS)
    if not place:
        return host, int(port)
    try:
        named = read_address(place)
    except SdpError:
        raise NotAcceptable(Refusal.ADDRESS) from None
    _check_host(named, local)
    return named, int(port)


def _check_host(host: str, local: Local) -> None:
    try:
        address = ipaddress.ip_address(host)
    except ValueError:
        return  # a name
    ours = ipaddress.ip_address(local.address)
    if address.is_multicast or address.version != ours.version or str(address) == _BROADCAST:
        raise NotAcceptable(Refusal.ADDRESS)


def _milliseconds(text: str | None) -> int:
    whole = (text or "").strip().partition(".")[0]
    return int(whole) if whole.isascii() and whole.isdigit() and len(whole) <= 4 else 0
