"""
Where Gemini Live is reached, and how we show who we are.

Rule: keys and tokens travel in headers, never in a URL, and no repr shows them.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Protocol
from urllib.parse import urlsplit

from bridge.errors import ConfigError, ConnectError

__all__ = ["Credentials", "DeveloperApi", "Endpoint", "VertexApi"]

Credentials = Callable[[], Awaitable[str]]
"""Gives an OAuth access token that is valid now."""

_SCHEMES = {"http": "ws", "https": "wss", "ws": "ws", "wss": "wss"}
_MULTI_REGIONS = frozenset({"us", "eu"})


class Endpoint(Protocol):
    """One of Google's two front doors to the same protocol."""

    @property
    def url(self) -> str: ...

    @property
    def ends_audio(self) -> bool:
        """Whether `audioStreamEnd` is sure to be understood."""

    async def headers(self) -> dict[str, str]:
        """Raises ConnectError when there is no token to be had."""

    def resource(self, model: str) -> str:
        """The model's full name."""


@dataclass(frozen=True, slots=True)
class DeveloperApi:
    """The Gemini API: one key, one host."""

    api_key: str = field(repr=False)
    base_url: str = "https://generativelanguage.googleapis.com"
    api_version: str = "v1beta"
    ends_audio: bool = True

    @property
    def url(self) -> str:
        service = f"google.ai.generativelanguage.{self.api_version}.GenerativeService"
        return f"{_websocket(self.base_url)}/ws/{service}.BidiGenerateContent"

    async def headers(self) -> dict[str, str]:
        return {"x-goog-api-key": self.api_key}

    def resource(self, model: str) -> str:
        return model if "/" in model else f"models/{model}"


@dataclass(frozen=True, slots=True)
class VertexApi:
    """Vertex AI: a project, a location (a region, a multi-region or "global"), a token."""

    project: str
    location: str
    credentials: Credentials = field(repr=False)
    base_url: str | None = None
    api_version: str = "v1beta1"
    ends_audio: bool = False

    @property
    def url(self) -> str:
        service = f"google.cloud.aiplatform.{self.api_version}.LlmBidiService"
        return f"{_websocket(self.base_url or self._host)}/ws/{service}/BidiGenerateContent"

    @property
    def _host(self) -> str:
        if self.location == "global":
            return "https://aiplatform.googleapis.com"
        if self.location in _MULTI_REGIONS:
            return f"https://aiplatform.{self.location}.rep.googleapis.com"
        return f"https://{self.location}-aiplatform.googleapis.com"

    async def headers(self) -> dict[str, str]:
        try:
            token = await self.credentials()
        except Exception as exc:  # whoever gave the function may raise anything in it
            why = f"the Google credentials gave no token: {type(exc).__name__}"
            raise ConnectError(why) from exc
        return {"Authorization": f"Bearer {token}"}

    def resource(self, model: str) -> str:
        if model.startswith("projects/"):
            return model
        published = model if "/" in model else f"publishers/google/models/{model}"
        return f"projects/{self.project}/locations/{self.location}/{published}"


def _websocket(base_url: str) -> str:
    """The base of WebSocket URLs on the same host. Raises ConfigError for anything else."""
    parts = urlsplit(base_url.rstrip("/"))
    if parts.scheme not in _SCHEMES or not parts.netloc:
        raise ConfigError("Gemini's base URL has to begin with https:// or http://")
    return f"{_SCHEMES[parts.scheme]}://{parts.netloc}{parts.path}"
