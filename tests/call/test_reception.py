"""What a carrier is told about a call."""

from __future__ import annotations

import pytest

from bridge.call.reception import LOOP_CLAIMS, Admit, Obey, Refuse, Reply, decide
from bridge.ports import leg, phrases
from bridge.ports.store import CallState, Standing

BAKER = "+14155550100"
NEW = Standing(CallState.NEW)
LIVE = Standing(CallState.LIVE, fence=3, claims=1)
WAITING = Standing(CallState.WAITING, fence=3, claims=1)
TRANSFERRED = Standing(CallState.ENDED, fence=3, verdict=leg.Transfer(BAKER))


def told(
    standing: Standing,
    *,
    over: bool = False,
    coming_in: bool = False,
    refusal: str | None = None,
    fallback: str | None = None,
) -> Reply:
    return decide(standing, over=over, coming_in=coming_in, refusal=refusal, fallback=fallback)


@pytest.mark.parametrize("standing", [NEW, LIVE, WAITING])
@pytest.mark.parametrize("coming_in", [True, False])
def test_a_call_is_connected(standing: Standing, coming_in: bool) -> None:
    """Whether it is new or comes back, and though its leg may be there still."""
    assert told(standing, coming_in=coming_in) == Admit(standing.fence)


def test_a_new_call_without_room() -> None:
    assert told(NEW, coming_in=True, refusal="full") == Refuse("full", phrases.TOO_BUSY)


@pytest.mark.parametrize(("standing", "coming_in"), [(LIVE, True), (WAITING, False), (NEW, False)])
def test_a_call_that_comes_back_always_has_room(standing: Standing, coming_in: bool) -> None:
    """Also one that the store has forgotten: its leg was here, or it would not ask."""
    assert told(standing, coming_in=coming_in, refusal="draining") == Admit(standing.fence)


def test_a_verdict_is_obeyed() -> None:
    assert told(TRANSFERRED) == Obey(leg.Transfer(BAKER))
    assert told(Standing(CallState.ENDED)) == Obey(leg.Hangup())


@pytest.mark.parametrize("standing", [NEW, LIVE, TRANSFERRED])
def test_the_caller_is_gone(standing: Standing) -> None:
    """Whatever was planned: nobody is there to be transferred."""
    assert told(standing, over=True) == Obey(leg.Hangup(), final=True)


@pytest.mark.parametrize(
    ("fallback", "verdict"),
    [(None, leg.Hangup(phrases.APOLOGY)), (BAKER, leg.Transfer(BAKER, phrases.APOLOGY))],
)
def test_a_call_that_goes_round_in_circles(fallback: str | None, verdict: leg.Verdict) -> None:
    """One leg after the other, and none of them holds: a person takes over."""
    looping = Standing(CallState.WAITING, fence=9, claims=LOOP_CLAIMS)
    nearly = Standing(CallState.WAITING, fence=9, claims=LOOP_CLAIMS - 1)

    assert told(looping, fallback=fallback) == Obey(verdict, final=True)
    assert told(nearly, fallback=fallback) == Admit(9)
