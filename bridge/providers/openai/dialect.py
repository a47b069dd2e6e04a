"""In what the speakers of OpenAI's Realtime protocol differ: address, key, a few words."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qsl, urlencode, urlsplit, urlunsplit

from bridge.errors import ConfigError
from bridge.wire.openai.server import BETA_NAMES

__all__ = ["AZURE", "OPENAI", "Dialect"]

_WEBSOCKET_SCHEMES = {"http": "ws", "https": "wss"}


def _bearer(key: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {key}"}


def _api_key(key: str) -> dict[str, str]:
    return {"api-key": key}


def _as_it_is(session: dict[str, Any]) -> dict[str, Any]:
    return session


@dataclass(frozen=True, slots=True)
class Dialect:
    """One vendor's way to speak the protocol. A new vendor is a new value."""

    name: str
    base_url: str
    """Where the vendor's own library would look; "" where every customer has another."""
    root: str = ""
    """The path below which the API lives, if the base URL does not name it already."""
    headers: Callable[[str], Mapping[str, str]] = _bearer
    """How the key is shown."""
    session: Callable[[dict[str, Any]], dict[str, Any]] = _as_it_is
    """The session object as this vendor wants it."""
    event_names: Mapping[str, str] = field(default_factory=lambda: BETA_NAMES)
    """The vendor's own names for events of OpenAI's."""
    voices: tuple[str, ...] = ()

    def url(self, base_url: str | None, model: str) -> str:
        """
        The WebSocket's URL: http becomes ws, https wss, and a query of the base's stays.

        Raises ConfigError where there is no base to start from.
        """
        if not (base := base_url or self.base_url):
            raise ConfigError(f"the provider {self.name} needs a base URL")
        parts = urlsplit(base)
        path = parts.path.rstrip("/").removesuffix("/realtime")
        if not path.endswith(self.root):
            path += self.root
        query = urlencode([*parse_qsl(parts.query), ("model", model)])
        scheme = _WEBSOCKET_SCHEMES.get(parts.scheme, parts.scheme)
        return urlunsplit((scheme, parts.netloc, f"{path}/realtime", query, ""))


_VOICES = (
    "marin",
    "cedar",
    "alloy",
    "ash",
    "ballad",
    "coral",
    "echo",
    "sage",
    "shimmer",
    "verse",
)

OPENAI = Dialect("openai", "https://api.openai.com/v1", voices=_VOICES)
AZURE = Dialect("azure", "", root="/openai/v1", headers=_api_key, voices=_VOICES)
"""Azure OpenAI. The base URL is the resource's, the model the name of the deployment."""
