"""
SIP requests and responses as values (RFC 3261 section 7).

Headers are pairs of name and value in the order of the wire, names spelled out in full.
What `reader.read` lets through has the headers that every message needs, and the properties
below do not raise for it.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Self

from bridge.wire.sip.faults import Reason
from bridge.wire.sip.grammar import split
from bridge.wire.sip.headers import Address, CSeq, Via

__all__ = ["SDP", "Body", "Headers", "Message", "Request", "Response", "full_name"]

Headers = tuple[tuple[str, str], ...]

SDP = "application/sdp"

_COMPACT = {
    "a": "Accept-Contact",
    "b": "Referred-By",
    "c": "Content-Type",
    "d": "Request-Disposition",
    "e": "Content-Encoding",
    "f": "From",
    "i": "Call-ID",
    "j": "Reject-Contact",
    "k": "Supported",
    "l": "Content-Length",
    "m": "Contact",
    "o": "Event",
    "r": "Refer-To",
    "s": "Subject",
    "t": "To",
    "u": "Allow-Events",
    "v": "Via",
    "x": "Session-Expires",
    "y": "Identity",
}
_IRREGULAR = {"call-id": "Call-ID", "cseq": "CSeq", "www-authenticate": "WWW-Authenticate"}
_IRREGULAR |= {"min-se": "Min-SE", "rack": "RAck", "rseq": "RSeq", "mime-version": "MIME-Version"}


def full_name(name: str) -> str:
    """The usual spelling of a header's name, also of one of a single letter."""
    lower = name.lower()
    return _COMPACT.get(lower) or _IRREGULAR.get(lower) or lower.title()


@dataclass(frozen=True, slots=True)
class Body:
    """What a message carries; here it is opaque."""

    content: bytes = field(repr=False)
    type: str = SDP


class _Fields:
    """What requests and responses have in common."""

    __slots__ = ()

    headers: Headers
    body: bytes

    def first(self, name: str) -> str | None:
        """The value of the first header of this name (as `full_name` spells it)."""
        return next((value for known, value in self.headers if known == name), None)

    def all(self, name: str) -> list[str]:
        """The values of all headers of this name, one an element as they stood."""
        return [value for known, value in self.headers if known == name]

    def words(self, name: str) -> list[str]:
        """The elements of a list such as Supported, in lower case."""
        return [
            word.strip().lower() for word in ",".join(self.all(name)).split(",") if word.strip()
        ]

    def listed(self, name: str, reason: Reason = Reason.HEADER) -> list[str]:
        """The elements of a list whose elements may hold commas in quotes or brackets."""
        parts = [part for value in self.all(name) for part in split(value, ",", reason)]
        return [part for part in parts if part]

    @property
    def content(self) -> Body | None:
        """The body, if there is one."""
        if not self.body:
            return None
        kind = (self.first("Content-Type") or "").partition(";")[0].strip().lower()
        return Body(self.body, kind)

    @property
    def via(self) -> Via:
        """The topmost Via."""
        return Via.read(self.listed("Via", Reason.VIA)[0])

    @property
    def cseq(self) -> CSeq:
        return CSeq.read(self.first("CSeq") or "")

    @property
    def call_id(self) -> str:
        return self.first("Call-ID") or ""

    @property
    def sender(self) -> Address:
        """From."""
        return Address.read(self.first("From") or "")

    @property
    def recipient(self) -> Address:
        """To."""
        return Address.read(self.first("To") or "")

    @property
    def contact(self) -> Address | None:
        """The first Contact; None if there is none or it is "*"."""
        contacts = self.listed("Contact", Reason.ADDRESS)
        return Address.read(contacts[0]) if contacts and contacts[0] != "*" else None

    def _render(self, start: str) -> bytes:
        lines = [start, *(f"{name}: {value}" for name, value in self.headers)]
        lines += [f"Content-Length: {len(self.body)}", "", ""]
        return "\r\n".join(lines).encode("utf-8", "surrogateescape") + self.body


@dataclass(frozen=True, slots=True)
class Request(_Fields):
    """A request. `headers` hold no Content-Length: it follows from the body."""

    method: str
    uri: str = field(repr=False)
    headers: Headers = field(repr=False)
    body: bytes = field(default=b"", repr=False)

    def render(self) -> bytes:
        return self._render(f"{self.method} {self.uri} SIP/2.0")

    def with_top(self, via: Via) -> Self:
        """The same with another topmost Via."""
        vias = [str(via), *self.listed("Via", Reason.VIA)[1:]]
        others = tuple(pair for pair in self.headers if pair[0] != "Via")
        return replace(self, headers=(*(("Via", one) for one in vias), *others))


@dataclass(frozen=True, slots=True)
class Response(_Fields):
    """A response. `headers` hold no Content-Length: it follows from the body."""

    status: int
    reason: str
    headers: Headers = field(repr=False)
    body: bytes = field(default=b"", repr=False)

    def render(self) -> bytes:
        return self._render(f"SIP/2.0 {self.status} {self.reason}")

    @property
    def final(self) -> bool:
        return self.status >= 200

    @property
    def good(self) -> bool:
        return 200 <= self.status < 300


Message = Request | Response
