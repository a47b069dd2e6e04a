"""Why a WebSocket to a provider did not open (RFC 6455 4.1, RFC 9110), and what to do about it."""

from __future__ import annotations

import ssl
import time
from collections.abc import Mapping
from email.utils import parsedate_to_datetime

from websockets.exceptions import InvalidStatus

from bridge.errors import AuthError, ConnectError

__all__ = ["refusal", "unanswered", "unreachable"]

_PASSING = frozenset({408, 425, 429})  # statuses below 500 that another try may not meet


def refusal(host: str, status: int, headers: Mapping[str, str]) -> ConnectError:
    """The error for an answer other than 101; its text names the host and status only."""
    message = f"{host} refused the WebSocket handshake with HTTP {status}"
    if status in {401, 403}:
        return AuthError(message)
    retryable = status in _PASSING or status >= 500
    wait = _seconds(headers.get("Retry-After", "")) if retryable else None
    return ConnectError(message, retryable=retryable, retry_after=wait)


def unanswered(host: str, exc: Exception | None) -> ConnectError:
    """The error for a handshake that ended in `exc`; None where the host hung up within it."""
    match exc:
        case InvalidStatus(response=response):
            return refusal(host, response.status_code, response.headers)
        case None:
            return ConnectError(f"{host} hung up during the WebSocket handshake")
        case _:
            return ConnectError(f"{host} answered the WebSocket handshake with something else")


def unreachable(host: str, exc: OSError | UnicodeError) -> ConnectError:
    """The error for a host that could not be found, reached or trusted."""
    match exc:
        case UnicodeError():
            return ConnectError(f"{host} is no name of a host", retryable=False)
        case ssl.SSLCertVerificationError():
            return ConnectError(f"{host} shows a certificate that we do not trust", retryable=False)
        case _:
            reason = exc.strerror or type(exc).__name__
            return ConnectError(f"{host} cannot be reached: {reason}")


def _seconds(retry_after: str) -> float | None:
    """Retry-After is a number of seconds or a date; None when it is neither."""
    if retry_after.isascii() and retry_after.isdigit():
        return float(retry_after)
    try:
        date = parsedate_to_datetime(retry_after)
    except ValueError:
        return None
    return max(0.0, date.timestamp() - time.time())
