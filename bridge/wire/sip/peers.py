"""
Who may send us requests at all, and how often.

Rule: a stranger hears nothing. Scanners look for whoever answers, and a 403 is an answer.
"""

from __future__ import annotations

import ipaddress
from collections import OrderedDict
from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum

from bridge.errors import ConfigError

__all__ = ["Peers", "Rules", "Verdict"]

MOST = 10_000  # addresses whose requests are counted


class Verdict(StrEnum):
    """What becomes of a request that belongs to no call."""

    TRUSTED = "trusted"
    CHALLENGE = "challenge"
    """The sender has to prove an account."""
    FORBIDDEN = "forbidden"
    """403."""
    SILENCE = "silence"


@dataclass(frozen=True, slots=True)
class Rules:
    """
    `accounts`: whether strangers may log in. `polite`: whether those who cannot are told.
    A stranger may send `burst` requests at once and `per_second` for long; after `failures`
    wrong passwords it is not heard for `penalty` seconds.
    """

    accounts: bool = False
    polite: bool = False
    burst: int = 20
    per_second: float = 2.0
    failures: int = 10
    penalty: float = 600.0


@dataclass(slots=True)
class _Stranger:
    tokens: float
    filled_at: float
    failures: int = 0
    silent_until: float = float("-inf")


class Peers:
    """`networks` are addresses and networks in CIDR notation, whose requests are trusted."""

    def __init__(self, networks: Iterable[str], rules: Rules | None = None) -> None:
        self._rules = rules or Rules()
        try:
            self._networks = [ipaddress.ip_network(network) for network in networks]
        except ValueError as error:
            raise ConfigError(f"not a network in CIDR notation: {error}") from None
        self._strangers: OrderedDict[str, _Stranger] = OrderedDict()

    def judge(self, host: str, now: float) -> Verdict:
        """What becomes of a request from this address."""
        if self.trusts(host):
            return Verdict.TRUSTED
        stranger = self._stranger(host, now)
        rules = self._rules
        elapsed = max(0.0, now - stranger.filled_at)
        stranger.tokens = min(float(rules.burst), stranger.tokens + elapsed * rules.per_second)
        stranger.filled_at = now
        if now < stranger.silent_until or stranger.tokens < 1:
            return Verdict.SILENCE
        stranger.tokens -= 1
        if rules.accounts:
            return Verdict.CHALLENGE
        return Verdict.FORBIDDEN if rules.polite else Verdict.SILENCE

    def failed(self, host: str, now: float) -> None:
        """Somebody at this address gave a wrong password."""
        if self.trusts(host):
            return
        stranger = self._stranger(host, now)
        stranger.failures += 1
        if stranger.failures >= self._rules.failures:
            stranger.failures = 0
            stranger.silent_until = now + self._rules.penalty

    def proved(self, host: str, now: float) -> None:
        """Somebody at this address gave a right password."""
        if not self.trusts(host):
            self._stranger(host, now).failures = 0

    def trusts(self, host: str) -> bool:
        try:
            address = ipaddress.ip_address(host)
        except ValueError:
            return False
        mapped = getattr(address, "ipv4_mapped", None)
        return any((mapped or address) in network for network in self._networks)

    def _stranger(self, host: str, now: float) -> _Stranger:
        stranger = self._strangers.get(host)
        if stranger is None:
            stranger = self._strangers[host] = _Stranger(float(self._rules.burst), now)
            if len(self._strangers) > MOST:
                self._strangers.popitem(last=False)
        self._strangers.move_to_end(host)
        return stranger
