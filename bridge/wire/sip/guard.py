"""
Who may call us by a password (RFC 7616 section 3.3, RFC 3261 section 22).

Rule: a nonce that nobody has used costs no memory: it is signed, and says itself when it
ends. One that was used remembers the counts it was used with, so no credentials count twice.
"""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Mapping
from dataclasses import dataclass, field

from bridge.wire.sip.digest import ALGORITHMS, Challenge, Credentials
from bridge.wire.sip.faults import SipProtocolError
from bridge.wire.sip.identity import Random
from bridge.wire.sip.messages import Headers, Request

__all__ = ["Admitted", "Challenged", "Guard"]

LIFETIME = 60.0  # seconds that a nonce can be used
WINDOW = 64  # how far behind its highest count a nonce's count may be
MOST = 10_000  # nonces in use that are remembered

_NOBODY = "no account has this password"


@dataclass(frozen=True, slots=True)
class Admitted:
    """The request's sender knows the account's password."""

    account: str


@dataclass(frozen=True, slots=True)
class Challenged:
    """The request is answered 401 with these headers. `failed`: its credentials were wrong."""

    headers: Headers = field(repr=False)
    failed: bool = False


@dataclass(slots=True)
class _Used:
    """A nonce in use: its highest count, and a bit for each count of the window below."""

    ends: float
    highest: int = 0
    seen: int = 0

    def use(self, count: int) -> bool:
        """False for a count that was used before, or is too old to know."""
        if count > self.highest:
            shift = min(count - self.highest, WINDOW)
            self.seen = ((self.seen << shift) | 1) & ((1 << WINDOW) - 1)
            self.highest = count
            return True
        behind = self.highest - count
        if behind >= WINDOW or self.seen >> behind & 1:
            return False
        self.seen |= 1 << behind
        return True


class Guard:
    """Accounts are user names and passwords."""

    def __init__(
        self,
        realm: str,
        accounts: Mapping[str, str],
        secret: bytes,
        random: Random,
        algorithms: tuple[str, ...] = ALGORITHMS,
        *,
        most: int = MOST,
    ) -> None:
        self._realm = realm
        self._accounts = accounts
        self._secret = secret
        self._random = random
        self._algorithms = algorithms
        self._most = most
        self._used: dict[str, _Used] = {}

    def check(self, request: Request, now: float) -> Admitted | Challenged:
        credentials = self._credentials(request)
        if credentials is None:
            return self._challenge(now)
        password = self._accounts.get(credentials.username)
        # An unknown name takes as long as a wrong password.
        proven = credentials.proven(request.method, _NOBODY if password is None else password)
        if password is None or not proven or credentials.uri != request.uri:
            return self._challenge(now, failed=True)
        ends = self._ends(credentials.nonce)
        if ends is None or now >= ends or not self._use(credentials, ends, now):
            return self._challenge(now, stale=True)
        return Admitted(credentials.username)

    def _credentials(self, request: Request) -> Credentials | None:
        for value in request.all("Authorization"):
            try:
                credentials = Credentials.read(value)
            except SipProtocolError:
                continue
            known = {algorithm.upper() for algorithm in self._algorithms}
            if credentials.realm == self._realm and credentials.algorithm.upper() in known:
                return credentials
        return None

    def _challenge(self, now: float, *, stale: bool = False, failed: bool = False) -> Challenged:
        nonce = self._nonce(now + LIFETIME)
        challenges = [
            Challenge(self._realm, nonce, algorithm, stale=stale) for algorithm in self._algorithms
        ]
        return Challenged(
            tuple(("WWW-Authenticate", str(challenge)) for challenge in challenges), failed
        )

    def _nonce(self, ends: float) -> str:
        text = f"{int(ends * 1000):x}.{self._random()}"
        return f"{text}.{self._sign(text)}"

    def _ends(self, nonce: str) -> float | None:
        """When a nonce of ours ends, in seconds; None: it is not ours."""
        text, _, signature = nonce.rpartition(".")
        if not hmac.compare_digest(self._sign(text).encode(), signature.encode("utf-8", "replace")):
            return None
        return int(text.partition(".")[0], 16) / 1000

    def _sign(self, text: str) -> str:
        data = text.encode("utf-8", "surrogateescape")
        return hmac.new(self._secret, data, hashlib.sha256).hexdigest()[:32]

    def _use(self, credentials: Credentials, ends: float, now: float) -> bool:
        used = self._used.get(credentials.nonce)
        if used is None:
            if len(self._used) >= self._most:
                self._used = {nonce: one for nonce, one in self._used.items() if one.ends > now}
            if len(self._used) >= self._most:
                return False
            used = self._used[credentials.nonce] = _Used(ends)
        count = credentials.count
        if count is None:  # whoever does not count may use a nonce once
            return not used.seen and used.use(WINDOW)
        return count > 0 and used.use(count)
