"""What a carrier is told when it asks what to do with a call."""

from __future__ import annotations

from dataclasses import dataclass, field

from bridge.ports import leg, phrases
from bridge.ports.leg import Verdict
from bridge.ports.store import CallState, Standing

__all__ = ["Admit", "Obey", "Refuse", "Reply", "apologise", "decide"]

LOOP_CLAIMS = 6  # legs of one call within the store's window: five resumptions of it are a loop


@dataclass(frozen=True, slots=True)
class Admit:
    """Connect the call's audio; the leg's ticket names this fence."""

    fence: int


@dataclass(frozen=True, slots=True)
class Refuse:
    """There is no room for the call; say so."""

    reason: str
    words: str = field(default=phrases.TOO_BUSY)


@dataclass(frozen=True, slots=True)
class Obey:
    """The call is over for us; `final` when the store does not know that yet."""

    verdict: Verdict
    final: bool = False


Reply = Admit | Refuse | Obey


def decide(
    standing: Standing, *, over: bool, coming_in: bool, refusal: str | None, fallback: str | None
) -> Reply:
    """
    `over`: the carrier says that the caller is gone. `coming_in`: it asks for the first time
    and not because a leg has ended. `refusal`: why a new call is not welcome, if it is not.
    """
    if over:
        return Obey(leg.Hangup(), final=True)
    if standing.state is CallState.ENDED:
        return Obey(standing.verdict or leg.Hangup())
    if standing.claims >= LOOP_CLAIMS:
        return Obey(apologise(fallback), final=True)
    if coming_in and standing.state is CallState.NEW and refusal is not None:
        return Refuse(refusal)
    return Admit(standing.fence)


def apologise(fallback: str | None) -> Verdict:
    """What becomes of a call with which nobody can go on: a person, or goodbye."""
    if fallback is None:
        return leg.Hangup(phrases.APOLOGY)
    return leg.Transfer(fallback, phrases.APOLOGY)
