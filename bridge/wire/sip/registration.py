"""
Telling a registrar where we are (RFC 3261 section 10): again before it forgets, and again
after it failed, less and less often.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum, auto

from bridge.wire.sip.actions import Ask, CallAction, Registered, Unregistered
from bridge.wire.sip.dialogs import reissue
from bridge.wire.sip.faults import Reason, SipProtocolError
from bridge.wire.sip.grammar import number
from bridge.wire.sip.headers import Address
from bridge.wire.sip.identity import Identity
from bridge.wire.sip.login import Account, Login
from bridge.wire.sip.messages import Request, Response
from bridge.wire.sip.places import Place
from bridge.wire.sip.uris import Uri

__all__ = ["Registration", "Registry"]

FIRST_PAUSE = 5.0  # seconds after a failure, doubled with each further one
LONGEST_PAUSE = 300.0
LONGEST_INTERVAL = 86_400  # seconds; a registrar that wants more is not believed
SHORTEST_INTERVAL = 20  # seconds between two REGISTERs that succeed, at least


@dataclass(frozen=True, slots=True)
class Registry:
    """`name` is ours for it, `address` the URI that is registered, `to` where REGISTER goes."""

    name: str
    address: str
    to: Place
    expires: int = 600


class _State(Enum):
    IDLE = auto()
    ASKING = auto()
    WAITING = auto()
    LEAVING = auto()


class Registration:
    """One address at one registrar. `key` is our tag."""

    def __init__(
        self, key: str, identity: Identity, registry: Registry, account: Account | None
    ) -> None:
        self.key = key
        self._identity = identity
        self._registry = registry
        self._login = Login(account, identity.random)
        self._call_id = identity.random()
        self._number = 0
        self._expires = registry.expires
        self._request: Request | None = None
        self._state = _State.IDLE
        self._failures = 0
        self.deadline: float | None = None

    @property
    def gone(self) -> bool:
        """Whether it was stopped, and the registrar said so."""
        return self._state is _State.IDLE and self._number > 0

    def start(self) -> list[CallAction]:
        return self._ask(self._expires)

    def stop(self) -> list[CallAction]:
        """Calls are not to come here any more."""
        if self._state is _State.IDLE:
            return []
        actions = self._ask(0)
        self._state = _State.LEAVING
        return actions

    def time_is_up(self, now: float) -> list[CallAction]:
        if self.deadline is None or now < self.deadline:
            return []
        return self._ask(self._expires)

    def responded(self, request: Request, response: Response, now: float) -> list[CallAction]:
        if self._request is None or request.cseq != self._request.cseq or not response.final:
            return []
        if response.good:
            return self._accepted(response, now)
        if (header := self._login.answer(request, response)) is not None:
            return self._again(header)
        if response.status == 423 and (longer := self._longer(response)):
            return longer
        return self._failed(response.status, now, _seconds(response, "Retry-After"))

    def silent(self, request: Request, now: float) -> list[CallAction]:
        if self._request is None or request.cseq != self._request.cseq:
            return []
        return self._failed(408, now, None)

    def _accepted(self, response: Response, now: float) -> list[CallAction]:
        self._request = None
        self._failures = 0
        if self._state is _State.LEAVING:
            self._state = _State.IDLE
            return []
        expires = self._granted(response)
        self._state = _State.WAITING
        # Early enough for one that is lost to be repeated until it arrives.
        self.deadline = now + max(SHORTEST_INTERVAL, min(0.9 * expires, expires - 35.0))
        return [Registered(self._registry.name, expires)]

    def _granted(self, response: Response) -> int:
        """Seconds that the registrar gives our Contact."""
        granted = _seconds(response, "Expires")
        ours = Address.read(self._identity.contact(self._registry.to.transport)).uri
        for value in response.listed("Contact"):
            try:
                contact = Address.read(value)
                named = contact.parameter("expires")
                if _same(contact.uri, ours) and named:
                    granted = number(named, Reason.HEADER)
            except SipProtocolError:
                continue
        return min(granted or self._expires, LONGEST_INTERVAL)

    def _longer(self, response: Response) -> list[CallAction]:
        least = _seconds(response, "Min-Expires")
        if least is None or least <= self._expires or least > LONGEST_INTERVAL:
            return []
        self._expires = least
        return self._ask(least)

    def _failed(self, status: int, now: float, retry_after: int | None) -> list[CallAction]:
        self._request = None
        if self._state is _State.LEAVING:
            self._state = _State.IDLE
            return []
        pause = min(LONGEST_PAUSE, FIRST_PAUSE * 2.0 ** min(self._failures, 10))
        # Spread, so that all who lost a registrar do not come back to it at once.
        pause = max(pause * (0.5 + 0.5 * self._identity.fraction()), float(retry_after or 0))
        self._failures += 1
        self._state = _State.WAITING
        self.deadline = now + min(pause, float(LONGEST_INTERVAL))
        return [Unregistered(self._registry.name, status, pause)]

    def _again(self, header: tuple[str, str]) -> list[CallAction]:
        assert self._request is not None
        self._number += 1
        cseq = ("CSeq", f"{self._number} REGISTER")
        self._request = reissue(self._request, self._identity, cseq, header)
        return [Ask(self._request, self._registry.to)]

    def _ask(self, expires: int) -> list[CallAction]:
        self._number += 1
        self._state = _State.ASKING
        self.deadline = None
        transport = self._registry.to.transport
        address = self._registry.address
        domain = Uri.read(address)
        headers = (
            ("Via", str(self._identity.via(transport))),
            ("Max-Forwards", "70"),
            ("From", f"<{address}>;tag={self.key}"),
            ("To", f"<{address}>"),
            ("Call-ID", self._call_id),
            ("CSeq", f"{self._number} REGISTER"),
            ("Contact", self._identity.contact(transport)),
            ("Expires", str(expires)),
            ("User-Agent", self._identity.agent),
        )
        registrar = Uri(domain.scheme, "", domain.host, domain.port)
        self._request = Request("REGISTER", str(registrar), headers)
        return [Ask(self._request, self._registry.to)]


def _seconds(response: Response, name: str) -> int | None:
    value = (response.first(name) or "").partition(";")[0].partition("(")[0].strip()
    try:
        return number(value, Reason.HEADER)
    except SipProtocolError:
        return None


def _same(one: Uri, other: Uri) -> bool:
    default = 5060
    ports = (one.port or default, other.port or default)
    return (
        one.user == other.user and one.host.lower() == other.host.lower() and ports[0] == ports[1]
    )
