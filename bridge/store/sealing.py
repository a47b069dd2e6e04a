"""
Sealing: what is secret or personal leaves the process encrypted, bound to its place.

AES-256-GCM with a random nonce of 96 bits. The call and the field are authenticated along
with the text, so that a sealed text that is copied to another call or field does not open.
A sealed text is version, key id, nonce, ciphertext with its tag.
"""

from __future__ import annotations

import hashlib
import os
from collections import deque
from collections.abc import Sequence

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from bridge.errors import ConfigError, StoreError

__all__ = ["Seal"]

VERSION = 1
NONCE_SIZE = 12  # bytes
NONCES_AT_ONCE = 64
_HEAD_SIZE = 2 + NONCE_SIZE
_PURPOSE = b"bridge sealed record 1"  # the same secret signs elsewhere, with another key


class Seal:
    """
    Seals with the first of `keys` and opens with any of them.

    To rotate: put a new key in front, and take the old one away when nothing that it
    sealed is left (records live for an hour). Raises ConfigError without a key.
    """

    def __init__(self, keys: Sequence[bytes]) -> None:
        if not keys:
            raise ConfigError("BRIDGE_SECRET_KEY: set it, for what is stored is encrypted")
        self._ciphers: dict[int, list[AESGCM]] = {}
        for key in keys:
            derived = hashlib.sha256(_PURPOSE + key).digest()
            self._ciphers.setdefault(_key_id(derived), []).append(AESGCM(derived))
        first = hashlib.sha256(_PURPOSE + keys[0]).digest()
        self._first_id, self._first = _key_id(first), AESGCM(first)
        self._nonces: deque[bytes] = deque()
        os.register_at_fork(after_in_child=self._nonces.clear)

    def seal(self, text: bytes, call_id: str, field: str) -> bytes:
        """The sealed text, which opens for this call and field only."""
        nonce = self._nonce()
        head = bytes((VERSION, self._first_id)) + nonce
        return head + self._first.encrypt(nonce, text, _place(call_id, field))

    def open(self, sealed: bytes, call_id: str, field: str) -> bytes:
        """Raises StoreError when it was not sealed for here, or not with a key of ours."""
        if len(sealed) < _HEAD_SIZE or sealed[0] != VERSION:
            raise StoreError("a stored text is not one of ours")
        nonce, body = sealed[2:_HEAD_SIZE], sealed[_HEAD_SIZE:]
        for cipher in self._ciphers.get(sealed[1], ()):
            try:
                return cipher.decrypt(nonce, body, _place(call_id, field))
            except InvalidTag:
                continue
        raise StoreError("a stored text does not open: another key, another call, or damaged")

    def _nonce(self) -> bytes:
        """Never the same one twice, in whatever thread."""
        # Each question to the system is a moment for other threads to take over from this one.
        try:
            return self._nonces.pop()
        except IndexError:
            fresh = os.urandom(NONCE_SIZE * NONCES_AT_ONCE)
        places = range(NONCE_SIZE, len(fresh), NONCE_SIZE)
        self._nonces.extend(fresh[place : place + NONCE_SIZE] for place in places)
        return fresh[:NONCE_SIZE]


def _key_id(derived: bytes) -> int:
    return hashlib.sha256(derived).digest()[0]


def _place(call_id: str, field: str) -> bytes:
    return f"{call_id}|{field}".encode()
