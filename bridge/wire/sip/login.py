"""Our answers to challenges: from trunks that we call, and registrars (RFC 3261 section 22.2)."""

from __future__ import annotations

from dataclasses import dataclass, field

from bridge.wire.sip.digest import ALGORITHMS, Challenge
from bridge.wire.sip.faults import SipProtocolError
from bridge.wire.sip.identity import Random
from bridge.wire.sip.messages import Request, Response

__all__ = ["Account", "Login"]

_HEADERS = {
    401: ("WWW-Authenticate", "Authorization"),
    407: ("Proxy-Authenticate", "Proxy-Authorization"),
}


@dataclass(frozen=True, slots=True)
class Account:
    """What a carrier gave us."""

    username: str = field(repr=False)
    password: str = field(repr=False)


class Login:
    """One account's answers, each nonce counted."""

    def __init__(self, account: Account | None, random: Random) -> None:
        self._account = account
        self._random = random
        self._nonce = ""
        self._count = 0

    def answer(self, request: Request, response: Response) -> tuple[str, str] | None:
        """
        The header to send the request with once more. None: there is no account, the
        challenge is not ours to answer, or the same answer was refused already.
        """
        names = _HEADERS.get(response.status)
        if self._account is None or names is None:
            return None
        challenge = _best(response.all(names[0]))
        if challenge is None or (request.first(names[1]) is not None and not challenge.stale):
            return None
        self._count = self._count + 1 if challenge.nonce == self._nonce else 1
        self._nonce = challenge.nonce
        account = self._account
        blank = challenge.answer(request.uri, account.username, self._random(), self._count)
        return names[1], str(blank.signed(request.method, account.password))


def _best(values: list[str]) -> Challenge | None:
    """The challenge with the best hash that we know; what cannot be read is no challenge."""
    challenges: list[Challenge] = []
    for value in values:
        try:
            challenges.append(Challenge.read(value))
        except SipProtocolError:
            continue
    known = [challenge for challenge in challenges if challenge.answerable]
    ranks = {algorithm: rank for rank, algorithm in enumerate(ALGORITHMS)}
    plain = [(ranks[one.algorithm.upper().removesuffix("-SESS")], one) for one in known]
    return min(plain, key=lambda pair: pair[0])[1] if plain else None
