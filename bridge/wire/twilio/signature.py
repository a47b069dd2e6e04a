"""
Twilio's signatures of webhooks and of the WebSocket handshake.

A signature is base64(HMAC-SHA1(auth token, URL + sorted form fields)); a JSON body is
signed by the URL alone, which then carries the body's SHA-256 (Twilio, Webhooks security).

Rule: the URL is made of the public origin that the operator configured and of the path
that was asked for, never of a request's headers. Where there is no token, nothing is valid.
"""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Sequence
from urllib.parse import parse_qs, urlsplit

from twilio.request_validator import RequestValidator

from bridge.errors import ConfigError

__all__ = [
    "BODY_HASH",
    "Form",
    "SignatureCheck",
    "sign_form",
    "sign_url",
    "socket_url",
    "with_body_hash",
]

Form = Sequence[tuple[str, str]]
"""A form's fields in the order in which they came, repeated and blank ones too."""

BODY_HASH = "bodySHA256"
_DEFAULT_PORTS = {"https": 443, "http": 80}


def sign_form(url: str, form: Form, token: str) -> str:
    """The signature of a form that is posted to `url` (query string included)."""
    signature: str = RequestValidator(token).compute_signature(url, _Fields(form))
    return signature


def sign_url(url: str, token: str) -> str:
    """The signature of a GET, of a handshake (`wss://`) or of a JSON body (`with_body_hash`)."""
    return sign_form(url, (), token)


def with_body_hash(url: str, body: bytes) -> str:
    """The URL to which Twilio posts this JSON body."""
    joint = "&" if "?" in url else "?"
    return f"{url}{joint}{BODY_HASH}={hashlib.sha256(body).hexdigest()}"


def socket_url(url: str) -> str:
    """The WebSocket URL that belongs to a web URL: https to wss, http to ws."""
    return "ws" + url.removeprefix("http")


class SignatureCheck:
    """
    Tells whether requests to `origin` were signed with one of `tokens`.

    `origin` is the public one (`https://bridge.example.com`); ConfigError where it is no web
    URL. While a token is being rotated there are several. Paths are as the request line has
    them, query string included.
    """

    def __init__(self, origin: str, tokens: Sequence[str]) -> None:
        origin = origin.rstrip("/")
        self._origins = _spellings(origin)
        self._socket_origin = socket_url(origin)
        # An empty key would make a signature that anybody can make.
        self._tokens = tuple(token for token in tokens if token)

    def form(self, path: str, form: Form, signature: str | None) -> bool:
        """Whether this form was posted to `path` by Twilio."""
        return self._matches([origin + path for origin in self._origins], form, signature)

    def json(self, path: str, body: bytes, signature: str | None) -> bool:
        """Whether this JSON body was posted to `path` by Twilio."""
        named = parse_qs(urlsplit(path).query).get(BODY_HASH, [""])[0]
        ours = hashlib.sha256(body).hexdigest()
        if not hmac.compare_digest(named.lower().encode(), ours.encode()):
            return False
        return self.form(path, (), signature)

    def handshake(self, path: str, signature: str | None) -> bool:
        """Whether this WebSocket is opened by Twilio, at exactly the URL that TwiML named."""
        return self._matches([self._socket_origin + path], (), signature)

    def _matches(self, urls: Sequence[str], form: Form, signature: str | None) -> bool:
        given = (signature or "").encode(errors="replace")
        # All of them are compared, so that time does not tell which one it was.
        matches = [
            hmac.compare_digest(sign_form(url, form, token).encode(), given)
            for url in urls
            for token in self._tokens
        ]
        return any(matches)


class _Fields(dict[str, list[str]]):
    """A form as RequestValidator likes it: names, and all values of a name."""

    def __init__(self, form: Form) -> None:
        super().__init__()
        for name, value in form:
            self.setdefault(name, []).append(value)

    def getall(self, name: str) -> list[str]:
        return self[name]


def _spellings(origin: str) -> tuple[str, ...]:
    # Twilio signs some requests with the scheme's own port in the URL and some without.
    parts = urlsplit(origin)
    default = _DEFAULT_PORTS.get(parts.scheme)
    if default is None:
        raise ConfigError("the public URL must begin with https:// or http://")
    if parts.port is None:
        return origin, f"{origin}:{default}"
    if parts.port == default:
        return origin, origin.removesuffix(f":{default}")
    return origin, origin.removesuffix(f":{parts.port}")
