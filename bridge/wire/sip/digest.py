"""
Digest authentication's words (RFC 7616, RFC 2617, RFC 8760): challenges and credentials,
and the hash that ties them to a password. MD5 is there for peers that know nothing else.
"""

from __future__ import annotations

import hashlib
import hmac
from dataclasses import dataclass, field, replace
from typing import Self

from bridge.wire.sip.faults import Reason, SipProtocolError
from bridge.wire.sip.grammar import is_token, quote, split, unquote

__all__ = ["ALGORITHMS", "Challenge", "Credentials"]

ALGORITHMS = ("SHA-256", "MD5")
"""What we know, the better first."""

_UNQUOTED = ("algorithm", "nc", "stale")


@dataclass(frozen=True, slots=True)
class Challenge:
    """What a WWW-Authenticate or Proxy-Authenticate asks."""

    realm: str
    nonce: str = field(repr=False)
    algorithm: str = "MD5"
    qop: tuple[str, ...] = ("auth",)
    opaque: str | None = None
    stale: bool = False

    @classmethod
    def read(cls, text: str) -> Self:
        fields = _read(text)
        qop = tuple(word.strip().lower() for word in fields.get("qop", "").split(",") if word)
        return cls(
            fields["realm"],
            fields["nonce"],
            fields.get("algorithm", "MD5"),
            qop,
            fields.get("opaque"),
            fields.get("stale", "").lower() == "true",
        )

    def __str__(self) -> str:
        fields = {"realm": self.realm, "nonce": self.nonce}
        fields |= {"qop": ",".join(self.qop)} if self.qop else {}
        fields |= {} if self.opaque is None else {"opaque": self.opaque}
        fields |= {"stale": "true"} if self.stale else {}
        return _write({**fields, "algorithm": self.algorithm})

    @property
    def answerable(self) -> bool:
        """Whether we know how."""
        return _plain(self.algorithm) in ALGORITHMS and (not self.qop or "auth" in self.qop)

    def answer(self, uri: str, username: str, cnonce: str, count: int) -> Credentials:
        """
        Credentials yet to be signed; `count` is how often this nonce has been used, from 1.
        """
        qop = "auth" if self.qop else None
        return Credentials(
            username,
            self.realm,
            self.nonce,
            uri,
            "",
            self.algorithm,
            cnonce,
            f"{count:08x}" if qop else None,
            qop,
            self.opaque,
        )


@dataclass(frozen=True, slots=True)
class Credentials:
    """What an Authorization or Proxy-Authorization says."""

    username: str = field(repr=False)
    realm: str
    nonce: str = field(repr=False)
    uri: str = field(repr=False)
    response: str = field(repr=False)
    algorithm: str = "MD5"
    cnonce: str | None = field(default=None, repr=False)
    nc: str | None = None
    qop: str | None = None
    opaque: str | None = None

    @classmethod
    def read(cls, text: str) -> Self:
        fields = _read(text)
        return cls(
            fields["username"],
            fields["realm"],
            fields["nonce"],
            fields["uri"],
            fields["response"].lower(),
            fields.get("algorithm", "MD5"),
            fields.get("cnonce"),
            fields.get("nc"),
            fields.get("qop"),
            fields.get("opaque"),
        )

    def __str__(self) -> str:
        fields = {
            "username": self.username,
            "realm": self.realm,
            "nonce": self.nonce,
            "uri": self.uri,
            "response": self.response,
        }
        fields |= {} if self.opaque is None else {"opaque": self.opaque}
        if self.qop is not None:
            fields |= {"cnonce": self.cnonce or "", "nc": self.nc or ""}
        text = _write({**fields, "algorithm": self.algorithm})
        return text if self.qop is None else f"{text}, qop={self.qop}"

    @property
    def count(self) -> int | None:
        """How often the nonce has been used; None: the peer does not count (RFC 2069)."""
        if self.nc is None:
            return None
        try:
            return int(self.nc, 16) if len(self.nc) == 8 else 0
        except ValueError:
            return 0

    def signed(self, method: str, password: str) -> Credentials:
        """The same with the response that whoever knows the password would give."""
        return replace(self, response=_response(self, method, password))

    def proven(self, method: str, password: str) -> bool:
        """Whether the sender knew the password."""
        if _plain(self.algorithm) not in ALGORITHMS or self.qop not in (None, "auth"):
            return False
        expected = _response(self, method, password)
        return hmac.compare_digest(expected.encode(), self.response.encode("utf-8", "replace"))


def _response(credentials: Credentials, method: str, password: str) -> str:
    hashed = _md5 if _plain(credentials.algorithm) == "MD5" else _sha256
    one = hashed(f"{credentials.username}:{credentials.realm}:{password}")
    if credentials.algorithm.upper().endswith("-SESS"):
        one = hashed(f"{one}:{credentials.nonce}:{credentials.cnonce or ''}")
    two = hashed(f"{method}:{credentials.uri}")
    if credentials.qop is None:
        return hashed(f"{one}:{credentials.nonce}:{two}")
    counted = f"{credentials.nonce}:{credentials.nc}:{credentials.cnonce}:{credentials.qop}"
    return hashed(f"{one}:{counted}:{two}")


def _md5(text: str) -> str:
    data = text.encode("utf-8", "surrogateescape")
    return hashlib.md5(data, usedforsecurity=False).hexdigest()


def _sha256(text: str) -> str:
    return hashlib.sha256(text.encode("utf-8", "surrogateescape")).hexdigest()


def _plain(algorithm: str) -> str:
    return algorithm.upper().removesuffix("-SESS")


class _Fields(dict[str, str]):
    def __missing__(self, name: str) -> str:
        raise SipProtocolError(Reason.CREDENTIALS)


def _read(text: str) -> _Fields:
    scheme, _, rest = text.strip().partition(" ")
    if scheme.lower() != "digest":
        raise SipProtocolError(Reason.CREDENTIALS)
    fields = _Fields()
    for part in split(rest, ",", Reason.CREDENTIALS):
        name, equals, value = part.partition("=")
        name = name.strip().lower()
        if not equals or not is_token(name) or name in fields:
            raise SipProtocolError(Reason.CREDENTIALS)
        fields[name] = unquote(value.strip())
    return fields


def _write(fields: dict[str, str]) -> str:
    words = (
        f"{name}={value if name in _UNQUOTED else quote(value)}" for name, value in fields.items()
    )
    return f"Digest {', '.join(words)}"
