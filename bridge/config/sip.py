"""
The settings of SIP: where it is listened to, who may call, and where we are registered.

Rule: off unless BRIDGE_SIP_LISTEN is set, and then open to nobody unless peers or accounts are.
"""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import SplitResult, unquote, urlsplit

from bridge.config.reader import Reader
from bridge.config.secret import Secret

__all__ = ["SipPlace", "SipRegistrar", "SipSettings", "read_sip"]

DEFAULT_PORTS = {"udp": 5060, "tcp": 5060, "tls": 5061}

_PORTS = re.compile(r"(\d{1,5})-(\d{1,5})")
_REGISTRAR = re.compile(r"sip:([^:@\s]+):([^@\s]+)@([^@\s;]+)(?:;transport=(udp|tcp|tls))?")
_LEAST_PORTS = 2  # one for RTP and one for RTCP


@dataclass(frozen=True, slots=True)
class SipPlace:
    """Where SIP is listened to. `transport` is udp, tcp or tls; port 0 is any that is free."""

    transport: str
    host: str
    port: int


@dataclass(frozen=True, slots=True)
class SipRegistrar:
    """An account of ours at somebody's registrar or trunk."""

    host: str
    port: int
    transport: str
    user: str = field(repr=False)
    password: Secret


@dataclass(frozen=True, slots=True)
class SipSettings:
    """`listen` is empty where SIP is off."""

    listen: tuple[SipPlace, ...] = ()
    public_host: str | None = None
    """The address that peers reach us by; None: the one that is listened to."""
    rtp_ports: tuple[int, int] = (16384, 17383)
    """The first and the last."""
    peers: tuple[str, ...] = ()
    """Networks whose calls are taken, in CIDR notation."""
    accounts: Mapping[str, Secret] = field(default_factory=dict, repr=False)
    """Who may call from anywhere: user names and passwords."""
    tls_cert: Path | None = None
    tls_key: Path | None = None
    registrars: tuple[SipRegistrar, ...] = ()
    peer_calls: int = 0
    """At once, of one account or address; 0: no limit of its own."""
    peer_minutes: int = 0
    """Within 24 hours, of one account or address; 0: no limit."""

    @property
    def deaf(self) -> bool:
        """Whether it is listened to, and nobody may call."""
        return bool(self.listen) and not self.peers and not self.accounts


def read_sip(read: Reader) -> SipSettings:
    """What is wrong goes to the reader's problems."""
    settings = SipSettings(
        listen=_listen(read),
        public_host=_public_host(read),
        rtp_ports=_rtp_ports(read),
        peers=_peers(read),
        accounts=_accounts(read),
        tls_cert=_file(read, "BRIDGE_SIP_TLS_CERT"),
        tls_key=_file(read, "BRIDGE_SIP_TLS_KEY"),
        registrars=_registrars(read),
        peer_calls=read.whole("BRIDGE_SIP_PEER_CALLS", 0, 100_000),
        peer_minutes=read.whole("BRIDGE_SIP_PEER_MINUTES", 0, 1_000_000),
    )
    _check_together(read, settings)
    return settings


def _check_together(read: Reader, settings: SipSettings) -> None:
    everywhere = any(ipaddress.ip_address(place.host).is_unspecified for place in settings.listen)
    if everywhere and settings.public_host is None:
        read.complain(
            "BRIDGE_SIP_PUBLIC_HOST",
            "set the IP address that callers reach, for BRIDGE_SIP_LISTEN names all addresses",
        )
    encrypted = any(place.transport == "tls" for place in settings.listen)
    if encrypted and not (settings.tls_cert and settings.tls_key):
        read.complain(
            "BRIDGE_SIP_TLS_CERT",
            "set it and BRIDGE_SIP_TLS_KEY, for BRIDGE_SIP_LISTEN has a tls:// place",
        )


def _listen(read: Reader) -> tuple[SipPlace, ...]:
    name = "BRIDGE_SIP_LISTEN"
    found = [_place(text) for text in _parts(read.text(name))]
    places = tuple(place for place in found if place is not None)
    if len(places) < len(found):
        advice = "must be places such as udp://0.0.0.0:5060 (udp, tcp or tls, and an IP address)"
        read.complain(name, advice)
        return ()
    ports = {place.port for place in places if place.transport != "tls"}
    once = len({place.transport for place in places}) == len(places)
    if not once or len({place.host for place in places}) > 1 or len(ports) > 1:
        advice = "names each transport once, all at one address, udp and tcp at one port"
        read.complain(name, advice)
    return places


def _place(text: str) -> SipPlace | None:
    parts = _split(text)
    if parts is None or parts.scheme not in DEFAULT_PORTS or parts.path or not parts.hostname:
        return None
    try:
        host = str(ipaddress.ip_address(parts.hostname))
    except ValueError:
        return None
    port = DEFAULT_PORTS[parts.scheme] if parts.port is None else parts.port
    return SipPlace(parts.scheme, host, port)


def _public_host(read: Reader) -> str | None:
    text = read.text("BRIDGE_SIP_PUBLIC_HOST")
    if not text:
        return None
    try:
        address = ipaddress.ip_address(text)
    except ValueError:
        address = None
    if address is None or address.is_unspecified:
        read.complain("BRIDGE_SIP_PUBLIC_HOST", "must be the IP address that callers reach")
        return None
    return str(address)


def _rtp_ports(read: Reader) -> tuple[int, int]:
    match = _PORTS.fullmatch(read.text("BRIDGE_SIP_RTP_PORTS"))
    first, last = (int(match[1]), int(match[2])) if match else (0, 0)
    if match is None or not 1024 <= first <= last <= 65_535 or last - first + 1 < _LEAST_PORTS:
        advice = "must be a range of ports from 1024 on, such as 16384-17383"
        read.complain("BRIDGE_SIP_RTP_PORTS", advice)
    return first, last


def _peers(read: Reader) -> tuple[str, ...]:
    networks = _parts(read.text("BRIDGE_SIP_PEERS"))
    try:
        return tuple(str(ipaddress.ip_network(network)) for network in networks)
    except ValueError:
        advice = "must be addresses or networks such as 203.0.113.0/24, separated by commas"
        read.complain("BRIDGE_SIP_PEERS", advice)
        return ()


def _accounts(read: Reader) -> dict[str, Secret]:
    accounts: dict[str, Secret] = {}
    for secret in read.secrets("BRIDGE_SIP_ACCOUNTS"):
        user, _, password = secret.reveal().partition(":")
        if not user or not password or user in accounts:
            read.complain("BRIDGE_SIP_ACCOUNTS", "must be user:password, each user once")
            return {}
        accounts[user] = Secret(password)
    return accounts


def _registrars(read: Reader) -> tuple[SipRegistrar, ...]:
    registrars = [_registrar(secret.reveal()) for secret in read.secrets("BRIDGE_SIP_REGISTER")]
    known = tuple(each for each in registrars if each is not None)
    if len(known) < len(registrars):
        advice = "must be like sip:user:password@registrar.example;transport=udp"
        read.complain("BRIDGE_SIP_REGISTER", advice)
    return known


def _registrar(text: str) -> SipRegistrar | None:
    match = _REGISTRAR.fullmatch(text)
    parts = None if match is None else _split(f"//{match[3]}")
    if match is None or parts is None or not parts.hostname or parts.path:
        return None
    transport = match[4] or "udp"
    port = parts.port or DEFAULT_PORTS[transport]
    password = Secret(unquote(match[2]))
    return SipRegistrar(parts.hostname, port, transport, unquote(match[1]), password)


def _file(read: Reader, name: str) -> Path | None:
    text = read.text(name)
    if not text:
        return None
    if not Path(text).is_file():
        read.complain(name, "must be the path of a PEM file")
    return Path(text)


def _split(text: str) -> SplitResult | None:
    """The parts of a URL whose port is one."""
    try:
        parts = urlsplit(text)
        known = parts.port is None or parts.port >= 0
    except ValueError:
        return None
    return parts if known and parts.username is None else None


def _parts(text: str) -> list[str]:
    return [part.strip() for part in text.split(",") if part.strip()]
