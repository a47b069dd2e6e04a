"""What it means that the server closed the connection (RFC 6455 7.4, and Google's reasons)."""

from __future__ import annotations

import re

from bridge.errors import AuthError, ConnectError, Fault, ResumptionRefused
from bridge.ports.server_events import Disconnected, Drop

__all__ = ["read_close", "refusal"]

_ACCOUNT = re.compile(
    r"api.key|credential|unauthenticated|unregistered|permission|quota|billing|suspended",
    re.IGNORECASE,
)
_MODEL = re.compile(r"\bmodels?\b.*\b(not found|not supported|unknown|no longer)", re.IGNORECASE)
_EXPIRED = re.compile(r"deadline expired|session duration|max(imum)? duration", re.IGNORECASE)

# A reason might repeat our key or handle.
_TOKEN = re.compile(r"AIza[\w-]+|[\w+/=]{24,}|\b[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}\b")


def read_close(code: int, reason: str, *, was_going: bool) -> Disconnected:
    """
    The end of a session; `was_going` when the server had announced it.

    A 1007 or 1008 that names no account and no model is LOST: a resumption may well work,
    and if it does not, its own refusal says more.
    """
    detail = _TOKEN.sub("…", reason)
    if code in {1007, 1008, 1011} and _ACCOUNT.search(reason):
        return Disconnected(Drop.REFUSED, Fault.OPERATOR, code, detail)
    if code == 1008 and _MODEL.search(reason):
        return Disconnected(Drop.REFUSED, Fault.OPERATOR, code, detail)
    if _EXPIRED.search(reason) or (was_going and code in {1000, 1001, 1011}):
        return Disconnected(Drop.EXPIRED, Fault.PROVIDER, code, detail)
    return Disconnected(Drop.LOST, Fault.PROVIDER, code, detail)


def refusal(end: Disconnected, *, resuming: bool) -> ConnectError:
    """The error for a session that ended before it was ready."""
    why = f"Gemini closed the connection during the setup ({end.code} {end.detail})".strip()
    if end.drop is Drop.REFUSED and _ACCOUNT.search(end.detail):
        return AuthError(why)
    if end.drop is Drop.REFUSED:
        return ConnectError(why, retryable=False)
    if resuming and end.code in {1007, 1008, 1011}:
        return ResumptionRefused(why)
    return ConnectError(why, retryable=end.code not in {1007, 1008})
