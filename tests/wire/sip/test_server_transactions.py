"""Requests of others: timers G, H, I, J, L by a clock of paper (RFC 3261 section 17.2)."""

from __future__ import annotations

import pytest

from bridge.wire.sip.messages import Request, Response
from bridge.wire.sip.places import Place
from bridge.wire.sip.responses import respond
from bridge.wire.sip.server_transactions import InviteServer, OtherServer
from bridge.wire.sip.timers import INFINITY
from tests.wire.sip.scripts import CALLER, STREAM, Caller, endpoint

INVITE = Caller(endpoint()).request("INVITE")
BYE = Caller(endpoint()).request("BYE")


def answer(request: Request, status: int) -> Response:
    return respond(request, status)


def resent(transaction: InviteServer, until: float) -> list[float]:
    """When something was sent again."""
    times = []
    while not transaction.over and transaction.deadline <= until:
        now = transaction.deadline
        if transaction.time_is_up(now) is not None:
            times.append(now)
    return times


def test_copies_of_an_invite_get_the_last_answer() -> None:
    transaction = InviteServer(INVITE, CALLER)
    ringing = answer(INVITE, 180)

    assert transaction.copy() is None
    assert transaction.respond(ringing, 0.0) == ringing
    assert transaction.copy() == ringing
    assert transaction.deadline == INFINITY


def test_a_refusal_is_repeated_until_its_ack() -> None:
    """Timer G doubles up to T2; timer I absorbs further copies of the ACK, then it is over."""
    transaction = InviteServer(INVITE, CALLER)
    transaction.respond(answer(INVITE, 486), 0.0)

    assert resent(transaction, 10.0) == [0.5, 1.5, 3.5, 7.5]
    assert not transaction.acknowledged(10.0)
    assert transaction.deadline == 15.0
    assert transaction.copy() is None
    transaction.time_is_up(15.0)
    assert transaction.over


def test_a_refusal_without_ack_is_given_up() -> None:
    """Timer H: 64 T1."""
    transaction = InviteServer(INVITE, CALLER)
    transaction.respond(answer(INVITE, 486), 0.0)

    assert len(resent(transaction, 40.0)) == 10
    assert transaction.over


def test_streams_repeat_nothing() -> None:
    """Timer G is off, timer I is zero, timer H is not."""
    transaction = InviteServer(INVITE, STREAM)
    transaction.respond(answer(INVITE, 486), 0.0)

    assert transaction.deadline == 32.0
    transaction.acknowledged(1.0)
    assert transaction.over


def test_after_a_2xx_copies_are_absorbed_and_acks_passed_on() -> None:
    """Timer L: 64 T1 (RFC 6026)."""
    transaction = InviteServer(INVITE, CALLER)
    good = answer(INVITE, 200)

    assert transaction.respond(good, 0.0) == good
    assert transaction.copy() is None
    assert transaction.acknowledged(1.0)
    assert transaction.respond(good, 1.5) == good
    assert transaction.deadline == 32.0
    transaction.time_is_up(32.0)
    assert transaction.over


@pytest.mark.parametrize(("first", "second"), [(200, 486), (486, 200), (486, 487), (486, 180)])
def test_there_is_one_final_answer(first: int, second: int) -> None:
    transaction = InviteServer(INVITE, CALLER)
    transaction.respond(answer(INVITE, first), 0.0)

    assert transaction.respond(answer(INVITE, second), 0.1) is None
    assert transaction.answered


@pytest.mark.parametrize(("place", "ends"), [(CALLER, 33.0), (STREAM, 1.0)])
def test_other_requests_keep_their_answer(place: Place, ends: float) -> None:
    """Timer J: 64 T1, or nothing on streams."""
    transaction = OtherServer(BYE, place)
    done = answer(BYE, 200)

    assert transaction.copy() is None
    assert transaction.respond(done, 1.0) == done
    assert transaction.copy() == done
    assert transaction.respond(answer(BYE, 481), 1.0) is None
    assert transaction.deadline == ends
    assert transaction.time_is_up(ends) is None
    assert transaction.over
