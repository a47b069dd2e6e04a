"""
Stream tokens: what a media stream shows to prove that a signed webhook has named its call.

A token is base64url(body + HMAC-SHA256(body)); the body holds a version, the id of the
key, a nonce, the fence, the expiry, and the ids of call and account. It is signed, not
sealed. What makes it good for one stream only is the fence, which the claim of a call bumps.

Rule: times here are Unix seconds, because other workers read what this one has written.
"""

from __future__ import annotations

import binascii
import hashlib
import hmac
import struct
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

from bridge.errors import CarrierProtocolError

__all__ = [
    "LEEWAY_SECONDS",
    "LIFE_SECONDS",
    "MAX_TOKEN_LENGTH",
    "NONCE_SIZE",
    "Reason",
    "Ticket",
    "issue",
    "read",
]

LIFE_SECONDS = 120.0  # from the webhook's answer to the stream's start
LEEWAY_SECONDS = 60.0  # by which the clocks of two workers may differ
NONCE_SIZE = 12
MAX_TOKEN_LENGTH = 427  # characters; Twilio carries less than 500, name included

_VERSION = 1
_MAC_SIZE = 32
_MAX_IDS_SIZE = 256
# version, key id, nonce, fence, expiry in ms, lengths of the two ids that follow
_HEAD = struct.Struct(f">BB{NONCE_SIZE}sQQBB")
_PURPOSE = b"bridge stream ticket 1"  # the same secret encrypts elsewhere, with another key


class Reason(StrEnum):
    """Why a token was refused: the text of the CarrierProtocolError."""

    MALFORMED = "malformed"
    FORGED = "forged"
    EXPIRED = "expired"


@dataclass(frozen=True, slots=True)
class Ticket:
    """Leave to open one stream for this call, while the call's fence is still this one."""

    call_id: str
    account_id: str
    fence: int
    expires_at: float
    """Unix seconds."""


def issue(ticket: Ticket, keys: Sequence[bytes], nonce: bytes) -> str:
    """
    A token, signed with the first of `keys`. `nonce` is 12 random bytes, new for each token.

    ValueError where there is no key, or where the ids are blank or too long for a token.
    """
    call_id, account_id = ticket.call_id.encode(), ticket.account_id.encode()
    if not keys or not all(keys):
        raise ValueError("a token wants a key")
    if not call_id or not account_id or len(nonce) != NONCE_SIZE:
        raise ValueError("a token wants a call, an account and a nonce")
    if len(call_id) + len(account_id) > _MAX_IDS_SIZE:
        raise ValueError("the ids are too long for a token")
    expires_ms = round(ticket.expires_at * 1000)
    head = (_VERSION, _key_id(keys[0]), nonce, ticket.fence, expires_ms)
    sizes = (len(call_id), len(account_id))
    body = _HEAD.pack(*head, *sizes) + call_id + account_id
    return _armored(body + _mac(keys[0], body))


def read(token: str, keys: Sequence[bytes], now: float) -> Ticket:
    """
    The ticket, if one of `keys` has signed it and it has not expired at `now`.

    Raises CarrierProtocolError with a word of `Reason`.
    """
    data = _unarmored(token)
    body, mac = data[:-_MAC_SIZE], data[-_MAC_SIZE:]
    if len(body) < _HEAD.size or body[0] != _VERSION:
        raise CarrierProtocolError(Reason.MALFORMED)
    candidates = [key for key in keys if key and _key_id(key) == body[1]]
    if not any(hmac.compare_digest(_mac(key, body), mac) for key in candidates):
        raise CarrierProtocolError(Reason.FORGED)
    ticket = _unpacked(body)
    if now > ticket.expires_at + LEEWAY_SECONDS:
        raise CarrierProtocolError(Reason.EXPIRED)
    return ticket


def _unpacked(body: bytes) -> Ticket:
    _, _, _, fence, expires_ms, call_size, account_size = _HEAD.unpack_from(body)
    ids = body[_HEAD.size :]
    if len(ids) != call_size + account_size:
        raise CarrierProtocolError(Reason.MALFORMED)
    call_id, account_id = ids[:call_size].decode(), ids[call_size:].decode()
    return Ticket(call_id, account_id, fence, expires_ms / 1000)


def _key_id(key: bytes) -> int:
    return hashlib.sha256(_PURPOSE + key).digest()[0]


def _mac(key: bytes, body: bytes) -> bytes:
    own_key = hmac.digest(key, _PURPOSE, "sha256")
    return hmac.digest(own_key, body, "sha256")


def _armored(data: bytes) -> str:
    text = binascii.b2a_base64(data, newline=False).decode("ascii")
    return text.translate(str.maketrans("+/", "-_")).rstrip("=")


def _unarmored(token: str) -> bytes:
    if len(token) > MAX_TOKEN_LENGTH:
        raise CarrierProtocolError(Reason.MALFORMED)
    text = token.translate(str.maketrans("-_", "+/")) + "=" * (-len(token) % 4)
    try:
        return binascii.a2b_base64(text, strict_mode=True)
    except ValueError:
        raise CarrierProtocolError(Reason.MALFORMED) from None
