"""SIP and tel URIs (RFC 3261 section 19.1, RFC 3966), their parts as they were sent."""

from __future__ import annotations

import re
from dataclasses import dataclass, field

from bridge.wire.sip.faults import Reason, SipProtocolError
from bridge.wire.sip.grammar import (
    Parameters,
    number,
    parameter,
    read_parameters,
    write_parameters,
)

__all__ = ["Uri", "read_host_port", "write_host_port"]

_SCHEME = re.compile(r"[A-Za-z][A-Za-z0-9+.\-]*")
_HOST = re.compile(r"[A-Za-z0-9._\-]+|\[[0-9A-Fa-f:.]+\]")
_VISIBLE = re.compile(r"[!#-;=?-~\x80-\U0010ffff]+")  # neither spaces, quotes nor brackets
_SIP_SCHEMES = ("sip", "sips")


@dataclass(frozen=True, slots=True)
class Uri:
    """
    An address. Of a scheme other than sip and sips, everything behind the colon is `user`
    and `host` is empty.
    """

    scheme: str
    user: str = field(repr=False)
    host: str
    port: int | None = None
    parameters: Parameters = field(default=(), repr=False)
    headers: str = field(default="", repr=False)

    @classmethod
    def read(cls, text: str) -> Uri:
        scheme, colon, rest = text.partition(":")
        if not colon or not _SCHEME.fullmatch(scheme) or not _VISIBLE.fullmatch(rest):
            raise SipProtocolError(Reason.URI)
        if scheme.lower() not in _SIP_SCHEMES:
            return cls(scheme.lower(), rest, "")
        # A user may hold ; and ? of its own, so it is cut off before anything else.
        user, at, place = rest.rpartition("@")
        if (at and not user) or "@" in user:
            raise SipProtocolError(Reason.URI)
        place, _, headers = place.partition("?")
        place, semicolon, parameters = place.partition(";")
        host, port = read_host_port(place, Reason.URI)
        read = read_parameters(semicolon + parameters, Reason.URI)
        return cls(scheme.lower(), user, host, port, read, headers)

    def parameter(self, name: str) -> str | None:
        return parameter(self.parameters, name)

    @property
    def is_sip(self) -> bool:
        return self.scheme in _SIP_SCHEMES

    def __str__(self) -> str:
        if not self.is_sip:
            return f"{self.scheme}:{self.user}"
        user = f"{self.user}@" if self.user else ""
        headers = f"?{self.headers}" if self.headers else ""
        place = write_host_port(self.host, self.port)
        return f"{self.scheme}:{user}{place}{write_parameters(self.parameters)}{headers}"


def read_host_port(text: str, reason: Reason) -> tuple[str, int | None]:
    """`host`, `host:port` or `[v6]:port`; the brackets of an IPv6 address are taken off."""
    match = _HOST.match(text)
    if match is None:
        raise SipProtocolError(reason)
    host, rest = match[0].strip("[]"), text[match.end() :].strip()
    if not rest:
        return host, None
    if rest[0] != ":":
        raise SipProtocolError(reason)
    return host, number(rest[1:].strip(), reason, 65535)


def write_host_port(host: str, port: int | None) -> str:
    written = f"[{host}]" if ":" in host else host
    return written if port is None else f"{written}:{port}"
