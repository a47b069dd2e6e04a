"""
What OpenAI's errors and close codes mean for a session.

The API names the cause now in `code`, now in `type`, so both are looked at.
"""

from __future__ import annotations

import re

from bridge.errors import Fault
from bridge.ports.server_events import Disconnected, Drop, ErrorInfo, Severity

__all__ = ["ACTIVE_RESPONSE", "CAUSES", "is_fatal", "is_passing", "read_close", "severity_of"]

ACTIVE_RESPONSE = "conversation_already_has_active_response"

_EXPIRED = "session_expired"
_FATAL = frozenset(
    {
        "account_deactivated",
        "billing_hard_limit_reached",
        "credit_balance_exhausted",
        "insufficient_quota",
        "invalid_api_key",
    }
)
CAUSES = _FATAL | {_EXPIRED}
"""The codes after which the provider closes the connection."""

_HARMLESS = frozenset(
    {
        "input_audio_buffer_commit_empty",
        "item_create_duplicate_item_id",
        "item_delete_invalid_item_id",
        "item_truncate_invalid_item_id",
        "response_cancel_not_active",
    }
)
_PASSING = frozenset(
    {
        "inference_rate_limit_exceeded",
        "rate_limit_exceeded",
        "server_error",
        "session_expired",
    }
)
# A truncation that comes too late or too long has only its text to be known by.
_HARMLESS_TEXTS = ("already shorter than", "Only model output audio messages can be truncated")

_GOING_AWAY = 1001
_BROKEN = 1006  # never sent; it says that no close frame came
_WORD = re.compile(r"[a-z]+(?:_[a-z]+)+")


def severity_of(error: ErrorInfo) -> Severity:
    """Whether an error is a race to be expected, the end of a request, or of everything."""
    names = {error.code, error.type}
    if names & _FATAL:
        return Severity.FATAL
    if names & _HARMLESS or any(text in error.message for text in _HARMLESS_TEXTS):
        return Severity.HARMLESS
    return Severity.RETRY


def is_fatal(code: str) -> bool:
    """Whether no session will work until somebody mends the account."""
    return code in _FATAL


def is_passing(code: str) -> bool:
    """Whether the same request may succeed in a moment."""
    return code in _PASSING


def read_close(code: int, reason: str, seen: frozenset[str] = frozenset()) -> Disconnected:
    """
    Why the provider ended the connection; `seen` are the error codes that came before.

    Of its reason only words such as `session_expired` are repeated: the rest is the
    provider's prose, which may quote a key. With 1006 the reason is our own.
    """
    words = _WORD.findall(reason)
    causes = seen.union(words)
    detail = reason if code == _BROKEN else ", ".join(words)
    if causes & _FATAL:
        return Disconnected(Drop.REFUSED, Fault.OPERATOR, code, ", ".join(sorted(causes & _FATAL)))
    if code == _GOING_AWAY or _EXPIRED in causes:
        return Disconnected(Drop.EXPIRED, Fault.PROVIDER, code, detail)
    return Disconnected(Drop.LOST, Fault.PROVIDER, code, detail)
