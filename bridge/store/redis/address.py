"""
What REDIS_URL means: one server, a local socket, Sentinels, or a cluster.

    redis://[user[:password]@]host[:port][/db]              rediss:// the same over TLS
    unix://[user[:password]@]/path/to.sock[?db=0]
    redis+sentinel://[user[:password]@]host[:port][,host[:port]...]/service[/db]
    redis+cluster://[user[:password]@]host[:port][,host[:port]...]

Sentinel's scheme is also spelled sentinel:// and redis-sentinel://; rediss+sentinel:// and
rediss+cluster:// speak TLS to everybody.

Rule: no text of the URL is repeated in an error, for a password may be anywhere in it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from urllib.parse import SplitResult, parse_qsl, unquote, urlsplit

from bridge.errors import ConfigError

__all__ = ["Address", "Cluster", "Host", "Login", "Sentinels", "Server", "Socket", "read_address"]

SERVER_PORT = 6379
SENTINEL_PORT = 26379

TLS_OPTIONS = (
    "ssl_ca_certs",
    "ssl_cert_reqs",
    "ssl_certfile",
    "ssl_check_hostname",
    "ssl_keyfile",
)
OPTIONS = ("db", "password", "sentinel_password", "sentinel_username", "username", *TLS_OPTIONS)
PASSED_OVER = (
    "client_name",
    "decode_responses",
    "health_check_interval",
    "max_connections",
    "protocol",
    "retry_on_timeout",
    "socket_connect_timeout",
    "socket_keepalive",
    "socket_timeout",
    "timeout",
)
"""What other programs put into their URLs; here it is the bridge's own business."""

_NO = ("0", "false", "no", "off")


@dataclass(frozen=True, slots=True)
class Login:
    """Who we are to Redis; None leaves it to Redis's default user."""

    username: str | None = field(default=None, repr=False)
    password: str | None = field(default=None, repr=False)


@dataclass(frozen=True, slots=True)
class Host:
    name: str
    port: int

    def __str__(self) -> str:
        name = f"[{self.name}]" if ":" in self.name else self.name
        return f"{name}:{self.port}"


Tls = Mapping[str, str | bool]
"""Options of the connection's TLS; empty: Redis's certificate is checked, we show none."""


@dataclass(frozen=True, slots=True)
class Server:
    """One server."""

    host: Host
    login: Login = Login()
    db: int = 0
    tls: Tls | None = None

    def __str__(self) -> str:
        return f"the server {self.host}"


@dataclass(frozen=True, slots=True)
class Socket:
    """One server on this machine."""

    path: str
    login: Login = Login()
    db: int = 0

    def __str__(self) -> str:
        return f"the socket {self.path}"


@dataclass(frozen=True, slots=True)
class Sentinels:
    """They know which server is the primary of `service`."""

    hosts: tuple[Host, ...]
    service: str
    login: Login = Login()
    sentinel_login: Login = Login()
    db: int = 0
    tls: Tls | None = None

    def __str__(self) -> str:
        return f"{self.service} of the Sentinels {', '.join(map(str, self.hosts))}"


@dataclass(frozen=True, slots=True)
class Cluster:
    """Some of its nodes; they know the others."""

    hosts: tuple[Host, ...]
    login: Login = Login()
    tls: Tls | None = None

    def __str__(self) -> str:
        return f"the cluster around {', '.join(map(str, self.hosts))}"


Address = Server | Socket | Sentinels | Cluster


def read_address(url: str) -> Address:
    """Raises ConfigError, which says what is wrong and repeats nothing."""
    try:
        parts = urlsplit(url)
        options = _options(parts.query)
    except ValueError:
        raise _wrong("cannot be read") from None
    tls = _tls(options) if parts.scheme.startswith("rediss") else None
    match parts.scheme:
        case "redis" | "rediss":
            return _server(parts, options, tls)
        case "unix":
            if not parts.path:
                raise _wrong("must name the path of a socket")
            return Socket(unquote(parts.path), _login(parts, options), _db(options.get("db")))
        case "sentinel" | "redis-sentinel" | "redis+sentinel" | "rediss+sentinel":
            return _sentinels(parts, options, tls)
        case "redis+cluster" | "rediss+cluster":
            if parts.path.strip("/") not in ("", "0") or options.get("db", "0") != "0":
                raise _wrong("names a database, and a cluster has but one")
            return Cluster(_hosts(parts, SERVER_PORT), _login(parts, options), tls)
        case _:
            raise _wrong("must begin with redis://, rediss://, unix://, or a form with + in it")


def _server(parts: SplitResult, options: Mapping[str, str], tls: Tls | None) -> Server:
    hosts = _hosts(parts, SERVER_PORT)
    if len(hosts) > 1:
        raise _wrong("names several hosts; redis+sentinel:// and redis+cluster:// have several")
    db = _db(options.get("db", parts.path.strip("/")))
    return Server(hosts[0], _login(parts, options), db, tls)


def _sentinels(parts: SplitResult, options: Mapping[str, str], tls: Tls | None) -> Sentinels:
    service, _, db = parts.path.strip("/").partition("/")
    if not service:
        raise _wrong("must name the service that the Sentinels watch: .../mymaster")
    return Sentinels(
        _hosts(parts, SENTINEL_PORT),
        unquote(service),
        _login(parts, options),
        Login(options.get("sentinel_username"), options.get("sentinel_password")),
        _db(options.get("db", db)),
        tls,
    )


def _options(query: str) -> dict[str, str]:
    options = dict(parse_qsl(query, keep_blank_values=True, strict_parsing=bool(query)))
    if set(options).difference(OPTIONS, PASSED_OVER):
        raise _wrong(f"has an option that is not known; known are {', '.join(OPTIONS)}")
    return options


def _hosts(parts: SplitResult, port: int) -> tuple[Host, ...]:
    listed = parts.netloc.rpartition("@")[2].split(",")
    try:
        hosts = [urlsplit(f"//{host}") for host in listed]
        return tuple(Host(_name(host), host.port or port) for host in hosts)
    except ValueError:
        raise _wrong("has a host or a port that cannot be read") from None


def _name(host: SplitResult) -> str:
    if not host.hostname:
        raise ValueError("no name")
    return host.hostname


def _login(parts: SplitResult, options: Mapping[str, str]) -> Login:
    user, _, password = parts.netloc.rpartition("@")[0].partition(":")
    return Login(
        unquote(user) or options.get("username"), unquote(password) or options.get("password")
    )


def _db(text: str | None) -> int:
    if not text:
        return 0
    if not text.isascii() or not text.isdigit():
        raise _wrong("names a database that is not a number")
    return int(text)


def _tls(options: Mapping[str, str]) -> Tls:
    tls: dict[str, str | bool] = {
        name: options[name] for name in TLS_OPTIONS if options.get(name, "")
    }
    if "ssl_check_hostname" in tls:
        tls["ssl_check_hostname"] = options["ssl_check_hostname"].lower() not in _NO
    if tls.get("ssl_cert_reqs", "required") not in ("none", "optional", "required"):
        raise _wrong("has an ssl_cert_reqs that is none of none, optional and required")
    return tls


def _wrong(what: str) -> ConfigError:
    return ConfigError(f"REDIS_URL: {what}")
