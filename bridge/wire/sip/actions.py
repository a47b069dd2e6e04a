"""
What the machines ask for and what they tell.

A carrier sees `Action`: Send, and facts. Reply and Ask stay inside: a call says them, and
the endpoint carries them out by the transactions it keeps.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from bridge.errors import Ending
from bridge.wire.sip.messages import Body, Message, Request, Response
from bridge.wire.sip.places import Place

__all__ = [
    "Action",
    "Ask",
    "CallAction",
    "Dropped",
    "DtmfPressed",
    "Ended",
    "Established",
    "Fact",
    "OfferAnswered",
    "OfferRefused",
    "Offered",
    "Registered",
    "Reoffered",
    "Reply",
    "Ringing",
    "Send",
    "TransferDone",
    "Transferring",
    "TurnedAway",
    "Unregistered",
]


@dataclass(frozen=True, slots=True)
class Send:
    """Write `message.render()` to a place, once."""

    message: Message
    to: Place


@dataclass(frozen=True, slots=True)
class Reply:
    """Answer a request by its transaction, which repeats the answer for copies of it."""

    request: Request
    response: Response


@dataclass(frozen=True, slots=True)
class Ask:
    """Send a request as a transaction, which repeats it until it is answered."""

    request: Request
    to: Place


@dataclass(frozen=True, slots=True)
class Offered:
    """
    Somebody calls, and waits for `answer` or `reject`. Without `body` the caller wants our
    offer, and its answer comes with Established.
    """

    call: str
    invite: Request
    source: Place
    body: Body | None = None
    account: str | None = None
    """The digest account that the caller proved to be; None: trusted for its address."""


@dataclass(frozen=True, slots=True)
class Ringing:
    """Whom we call has been found. `body`: early media."""

    call: str
    status: int
    body: Body | None = None


@dataclass(frozen=True, slots=True)
class Established:
    """Both sides agree that there is a call. `body`: the peer's answer to our offer."""

    call: str
    body: Body | None = None


@dataclass(frozen=True, slots=True)
class Reoffered:
    """
    The peer changes the session (hold, resume, a new address): `answer` or `reject`. Without
    `body` it wants our offer, and its answer comes with OfferAnswered.
    """

    call: str
    body: Body | None = None


@dataclass(frozen=True, slots=True)
class OfferAnswered:
    """The peer's answer to an offer of ours within the call. None: it changed nothing."""

    call: str
    body: Body | None = None


@dataclass(frozen=True, slots=True)
class OfferRefused:
    """The session stays as it was."""

    call: str
    status: int


@dataclass(frozen=True, slots=True)
class DtmfPressed:
    """A key, by INFO."""

    call: str
    digit: str = field(repr=False)
    duration_ms: int = 0


@dataclass(frozen=True, slots=True)
class Transferring:
    """How a transfer gets on, in the words of the new callee."""

    call: str
    status: int


@dataclass(frozen=True, slots=True)
class TransferDone:
    """The transfer is decided: 2xx is success, and then the call can be hung up."""

    call: str
    status: int

    @property
    def succeeded(self) -> bool:
        return 200 <= self.status < 300


@dataclass(frozen=True, slots=True)
class Ended:
    """The last that is heard of a call, exactly once. `retry_after` in seconds."""

    call: str
    ending: Ending
    status: int | None = None
    retry_after: int | None = None


@dataclass(frozen=True, slots=True)
class Registered:
    """The registrar knows where we are, for so many seconds."""

    name: str
    expires: int


@dataclass(frozen=True, slots=True)
class Unregistered:
    """The registrar refused or did not answer. `retry_in` seconds it is tried again."""

    name: str
    status: int
    retry_in: float | None


@dataclass(frozen=True, slots=True)
class Dropped:
    """Something came in that is not answered. `reason` is a word for counters."""

    reason: str


@dataclass(frozen=True, slots=True)
class TurnedAway:
    """Somebody was refused before there was a call. For counters."""

    reason: str
    status: int


CallFact = (
    Offered
    | Ringing
    | Established
    | Reoffered
    | OfferAnswered
    | OfferRefused
    | DtmfPressed
    | Transferring
    | TransferDone
    | Ended
)
Fact = CallFact | Registered | Unregistered | Dropped | TurnedAway
CallAction = Send | Reply | Ask | CallFact | Registered | Unregistered
Action = Send | Fact
