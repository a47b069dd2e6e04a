"""TLS for SIP, from the operator's files."""

from __future__ import annotations

import ssl
from pathlib import Path

from bridge.errors import ConfigError

__all__ = ["server_context"]


def server_context(certificate: Path | None, key: Path | None) -> ssl.SSLContext | None:
    """None without files. Raises ConfigError for files that cannot be used."""
    if certificate is None or key is None:
        return None
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    try:
        context.load_cert_chain(certificate, key)
    except (OSError, ssl.SSLError) as exc:
        advice = f"is not the PEM of a certificate and its key ({type(exc).__name__})"
        raise ConfigError(f"BRIDGE_SIP_TLS_CERT: {advice}") from None
    return context
