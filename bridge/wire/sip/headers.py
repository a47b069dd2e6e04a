"""Single headers of SIP as values: who, by which way, and in which order."""

from __future__ import annotations

import re
from dataclasses import dataclass, field, replace

from bridge.wire.sip.faults import Reason, SipProtocolError
from bridge.wire.sip.grammar import (
    Parameters,
    is_token,
    number,
    parameter,
    read_parameters,
    split,
    unquote,
    write_parameters,
)
from bridge.wire.sip.uris import Uri, read_host_port, write_host_port

__all__ = ["MAGIC", "Address", "CSeq", "Via", "read_addresses"]

MAGIC = "z9hG4bK"
"""How a branch begins that is unique by itself (RFC 3261 section 8.1.1.7)."""

_PROTOCOL = re.compile(
    r"\s*SIP\s*/\s*2\.0\s*/\s*([A-Za-z0-9\-.]+)\s+(.*)", re.DOTALL | re.IGNORECASE
)
_QUOTED = re.compile(r'"(?:[^"\\]|\\.)*"', re.DOTALL)
_LARGEST_CSEQ = 2**31 - 1


@dataclass(frozen=True, slots=True)
class Address:
    """A name-addr or addr-spec with its parameters: From, To, Contact, Route, Refer-To."""

    uri: Uri
    display: str = field(default="", repr=False)
    parameters: Parameters = field(default=(), repr=False)

    @classmethod
    def read(cls, text: str) -> Address:
        text = text.strip()
        quoted = _QUOTED.match(text)
        if quoted is None and text.startswith('"'):
            raise SipProtocolError(Reason.ADDRESS)
        start = text.find("<", quoted.end() if quoted else 0)
        if start < 0:
            return cls._read_bare(text)
        end = text.find(">", start)
        if end < 0 or (quoted and text[quoted.end() : start].strip()):
            raise SipProtocolError(Reason.ADDRESS)
        display = unquote(text[:start].strip())
        parameters = read_parameters(text[end + 1 :], Reason.ADDRESS)
        return cls(Uri.read(text[start + 1 : end]), display, parameters)

    @classmethod
    def _read_bare(cls, text: str) -> Address:
        # Without brackets, whatever follows a semicolon belongs to the header, and a URI
        # with a comma or question mark needs brackets (RFC 3261 section 20.10).
        uri, semicolon, rest = text.partition(";")
        if "?" in uri or "," in uri:
            raise SipProtocolError(Reason.ADDRESS)
        return cls(Uri.read(uri.strip()), "", read_parameters(semicolon + rest, Reason.ADDRESS))

    @property
    def tag(self) -> str | None:
        return parameter(self.parameters, "tag")

    def parameter(self, name: str) -> str | None:
        return parameter(self.parameters, name)


@dataclass(frozen=True, slots=True)
class Via:
    """One station on the way of a request, to which its responses go back."""

    transport: str
    host: str
    port: int | None = None
    parameters: Parameters = ()

    @classmethod
    def read(cls, text: str) -> Via:
        match = _PROTOCOL.fullmatch(text)
        if match is None:
            raise SipProtocolError(Reason.VIA)
        place, semicolon, rest = match[2].partition(";")
        host, port = read_host_port(place.strip(), Reason.VIA)
        parameters = read_parameters(semicolon + rest, Reason.VIA)
        return cls(match[1].upper(), host, port, parameters)

    @property
    def branch(self) -> str:
        return parameter(self.parameters, "branch") or ""

    @property
    def unique(self) -> bool:
        """Whether the branch alone tells the transaction; older peers' branches do not."""
        return len(self.branch) > len(MAGIC) and self.branch.lower().startswith(MAGIC.lower())

    def parameter(self, name: str) -> str | None:
        return parameter(self.parameters, name)

    def with_parameter(self, name: str, value: str) -> Via:
        others = tuple(pair for pair in self.parameters if pair[0] != name)
        return replace(self, parameters=(*others, (name, value)))

    def __str__(self) -> str:
        place = write_host_port(self.host, self.port)
        return f"SIP/2.0/{self.transport} {place}{write_parameters(self.parameters)}"


@dataclass(frozen=True, slots=True)
class CSeq:
    """The place of a request in its dialog."""

    number: int
    method: str

    @classmethod
    def read(cls, text: str) -> CSeq:
        parts = text.split()
        if len(parts) != 2 or not is_token(parts[1]):
            raise SipProtocolError(Reason.CSEQ)
        return cls(number(parts[0], Reason.CSEQ, _LARGEST_CSEQ), parts[1])

    def __str__(self) -> str:
        return f"{self.number} {self.method}"


def read_addresses(text: str) -> list[Address]:
    """A list of addresses, as Route and Contact have them."""
    return [Address.read(part) for part in split(text, ",", Reason.ADDRESS)]
