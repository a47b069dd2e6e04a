"""
How the simulator reaches the bridge: where a URL leads, and one HTTP request there.

A carrier meets the bridge at its public origin. On a developer's machine that origin is
somewhere else, so `origins` may say where; what is asked for and signed stays as it is.
"""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from urllib.parse import SplitResult, urljoin, urlsplit

from bridge.errors import BridgeError, ConfigError

__all__ = [
    "Answer",
    "Network",
    "Target",
    "Unanswered",
    "is_local",
    "plain_words",
    "resolved",
    "trusting",
]

MAX_BODY_SIZE = 64 * 1024  # Twilio's limit of a TwiML document
MAX_HEADER_LINES = 100
NO_URL = "this is not an http(s) or ws(s) URL"
DEFAULT_PORTS = {"http": 80, "https": 443}

_LOOPBACK = frozenset({"localhost", "127.0.0.1", "::1"})
_WEB_SCHEMES = {"http": "http", "https": "https", "ws": "http", "wss": "https"}


class Unanswered(BridgeError):
    """Nobody was there, nobody answered in time, or the answer was no HTTP."""


@dataclass(frozen=True, slots=True)
class Target:
    """Where to connect. `tls` is None for a plain connection, `name` the certificate's name."""

    host: str
    port: int
    tls: ssl.SSLContext | None = None
    name: str | None = None


@dataclass(frozen=True, slots=True)
class Answer:
    """An HTTP response."""

    status: int
    body: str = field(repr=False)


def is_local(url: str) -> bool:
    """Whether the URL's host is this machine, where nobody needs TLS. Raises ConfigError."""
    return _split(url).hostname in _LOOPBACK


def resolved(base: str, url: str) -> str:
    """A URL that may be relative to `base`. Nonsense stays what it is, for `target` to refuse."""
    try:
        return urljoin(base, url)
    except ValueError:
        return url


def trusting(ca_file: str | Path | None = None) -> ssl.SSLContext:
    """TLS that trusts the system's authorities, and `ca_file`. Raises ConfigError."""
    context = ssl.create_default_context()
    if ca_file is not None:
        try:
            context.load_verify_locations(ca_file)
        except OSError:  # ssl.SSLError is one too
            raise ConfigError("the file of authorities (CA) cannot be read") from None
    return context


class Network:
    """
    Connects to URLs as the bridge's public origin names them.

    `origins` maps a public origin (`https://bridge.example`) to where it is really to be
    found (`http://127.0.0.1:8080`). It is read at each connection, so it may change.
    """

    def __init__(
        self, origins: Mapping[str, str] | None = None, tls: ssl.SSLContext | None = None
    ) -> None:
        self._origins = {} if origins is None else origins
        self._tls = tls

    def target(self, url: str) -> Target:
        """Where a http(s) or ws(s) URL leads. Raises ConfigError when it leads nowhere."""
        named = _split(url)
        origin = f"{_WEB_SCHEMES[named.scheme]}://{named.netloc}"
        real = _split(self._origins.get(origin, origin))
        scheme = _WEB_SCHEMES[real.scheme]
        port = real.port or DEFAULT_PORTS[scheme]
        host, name = str(real.hostname), str(named.hostname)
        if scheme == "http":
            return Target(host, port)
        return Target(host, port, self._tls or _system_trust(), name)

    async def request(
        self, method: str, url: str, headers: Mapping[str, str], body: str = ""
    ) -> Answer:
        """One request on a connection of its own. Raises Unanswered. May be cancelled."""
        target = self.target(url)
        try:
            reader, writer = await asyncio.open_connection(
                target.host, target.port, ssl=target.tls, server_hostname=target.name
            )
        except OSError as exc:
            raise Unanswered(f"no connection: {plain_words(exc)}") from None
        try:
            writer.write(_request(method, _split(url), headers, body))
            return await _read_answer(reader)
        except (OSError, asyncio.IncompleteReadError, ValueError) as exc:
            raise Unanswered(f"no HTTP answer: {plain_words(exc)}") from None
        finally:
            writer.transport.abort()


@cache
def _system_trust() -> ssl.SSLContext:
    return trusting()  # reading all the authorities takes a while


def _split(url: str) -> SplitResult:
    try:
        parts = urlsplit(url)
        sound = parts.scheme in _WEB_SCHEMES and bool(parts.hostname) and parts.port != 0
    except ValueError:
        raise ConfigError(NO_URL) from None
    if not sound or not url.isascii() or not url.isprintable() or " " in url:
        raise ConfigError(NO_URL)
    return parts


def _request(method: str, url: SplitResult, headers: Mapping[str, str], body: str) -> bytes:
    path = (url.path or "/") + (f"?{url.query}" if url.query else "")
    content = body.encode()
    fields = {"Host": url.netloc, "Connection": "close", **headers}
    if method == "POST":
        fields["Content-Length"] = str(len(content))
    lines = [f"{method} {path} HTTP/1.1", *(f"{name}: {value}" for name, value in fields.items())]
    return "\r\n".join([*lines, "", ""]).encode() + content


async def _read_answer(reader: asyncio.StreamReader) -> Answer:
    version, _, rest = (await _line(reader)).partition(" ")
    if not version.startswith("HTTP/1."):
        raise ValueError("it is not HTTP")
    status = int(rest[:3])
    headers: dict[str, str] = {}
    while line := await _line(reader):
        name, _, value = line.partition(":")
        headers[name.strip().lower()] = value.strip()
        if len(headers) > MAX_HEADER_LINES:
            raise ValueError("its headers do not end")
    body = await _body(reader, headers)
    return Answer(status, body.decode("utf-8", "replace"))


async def _body(reader: asyncio.StreamReader, headers: Mapping[str, str]) -> bytes:
    if headers.get("transfer-encoding", "").lower() == "chunked":
        return await _chunks(reader)
    if "content-length" in headers:
        return await reader.readexactly(_bounded(int(headers["content-length"])))
    body = bytearray()
    while piece := await reader.read(MAX_BODY_SIZE):
        body += piece
        _bounded(len(body))
    return bytes(body)


async def _chunks(reader: asyncio.StreamReader) -> bytes:
    body = bytearray()
    while size := int((await _line(reader)).split(";")[0], 16):
        body += await reader.readexactly(_bounded(len(body) + size) - len(body))
        await _line(reader)
    return bytes(body)


async def _line(reader: asyncio.StreamReader) -> str:
    line = await reader.readline()
    if not line.endswith(b"\n"):
        raise ValueError("it ends too soon")
    return line.decode("latin-1").rstrip("\r\n")


def _bounded(size: int) -> int:
    if not 0 <= size <= MAX_BODY_SIZE:
        raise ValueError("it is larger than 64 KB")
    return size


def plain_words(exc: Exception) -> str:
    """An exception in words, without the addresses that sockets put into theirs."""
    match exc:
        case ConnectionRefusedError():
            return "connection refused"
        case ssl.SSLCertVerificationError():
            return f"the certificate is not trusted ({exc.verify_message})"
        case OSError(strerror=str(words)):
            return words
        case asyncio.IncompleteReadError():
            return "it ends too soon"
    return str(exc) or type(exc).__name__
