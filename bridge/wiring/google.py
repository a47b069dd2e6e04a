"""Credentials for Vertex AI, as Google's own libraries find them (application default)."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

from bridge.errors import AuthError, ConfigError

__all__ = ["credentials"]

SCOPE = "https://www.googleapis.com/auth/cloud-platform"


def credentials() -> Callable[[], Awaitable[str]]:
    """A function that gives a fresh OAuth token. Raises ConfigError without google-auth."""
    try:
        import google.auth  # only who uses Vertex AI has it installed
        import google.auth.transport.requests as transport
    except ImportError:
        raise ConfigError(
            "GOOGLE_GENAI_USE_VERTEXAI: install google-auth: pip install 'telephony-bridge[vertex]'"
        ) from None

    def fetch() -> str:
        try:
            found, _ = google.auth.default(scopes=[SCOPE])
            found.refresh(transport.Request())  # type: ignore[no-untyped-call]
        except google.auth.exceptions.GoogleAuthError as exc:
            raise AuthError(f"Google gives no token: {type(exc).__name__}") from exc
        return str(found.token)

    async def token() -> str:
        return await asyncio.to_thread(fetch)

    return token
