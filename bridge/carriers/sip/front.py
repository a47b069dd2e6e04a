"""Whoever takes the calls that come over SIP."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

from bridge.carriers.sip.invitation import Invitation
from bridge.carriers.sip.leg import SipLeg

__all__ = ["Front", "Refusal"]


@dataclass(frozen=True, slots=True)
class Refusal:
    """Why a call is not taken: the word for counters, SIP's status, and when to try again."""

    reason: str
    status: int
    retry_after: int | None = None


class Front(Protocol):
    """Whoever takes the calls."""

    def refusal(self, invitation: Invitation) -> Refusal | None:
        """Why a call cannot be taken now; None: it can."""

    def taken(self, caller: SipLeg, invitation: Invitation) -> None:
        """The call is answered; the leg is theirs to attend to."""

    def refused(self, reason: str) -> None:
        """A call was not taken. For counters."""

    def dropped(self, reason: str) -> None:
        """Something that came was not answered, or only turned away. For counters."""

    def over(self, caller: SipLeg) -> None:
        """The call is over; its figures will not change any more."""
