"""Requests of ours: timers A, B, D, E, F, K, M by a clock of paper (RFC 3261 section 17.1)."""

from __future__ import annotations

from bridge.wire.sip.client_transactions import (
    ClientTransaction,
    InviteClient,
    OtherClient,
    Outcome,
    acknowledge,
)
from bridge.wire.sip.messages import Response
from bridge.wire.sip.timers import INFINITY
from tests.wire.sip.scripts import CALLER, STREAM, Caller, endpoint, response_to

INVITE = Caller(endpoint()).request("INVITE", (("Route", "<sip:p;lr>"),))
BYE = Caller(endpoint()).request("BYE")


def answer(status: int) -> Response:
    return response_to(INVITE, status, tag="theirs")


def lives(transaction: ClientTransaction, until: float = 100.0) -> tuple[list[float], float | None]:
    """When it sent again, and when it gave up."""
    times: list[float] = []
    while transaction.deadline <= until:
        now = transaction.deadline
        outcome = transaction.time_is_up(now)
        if outcome.send is not None:
            times.append(now)
        if outcome.silent:
            return times, now
        if transaction.over:
            break
    return times, None


def test_an_invite_is_repeated_and_given_up() -> None:
    """Timer A doubles without end, timer B ends it."""
    assert lives(InviteClient(INVITE, CALLER, 0.0)) == ([0.5, 1.5, 3.5, 7.5, 15.5, 31.5], 32.0)


def test_on_streams_nothing_is_repeated() -> None:
    assert lives(InviteClient(INVITE, STREAM, 0.0)) == ([], 32.0)
    assert lives(OtherClient(BYE, STREAM, 0.0)) == ([], 32.0)


def test_other_requests_are_repeated_every_t2_at_last() -> None:
    """Timers E and F."""
    times, silent = lives(OtherClient(BYE, CALLER, 0.0))

    assert times == [0.5, 1.5, 3.5, 7.5, 11.5, 15.5, 19.5, 23.5, 27.5, 31.5]
    assert silent == 32.0


def test_ringing_stops_the_copies_for_as_long_as_it_rings() -> None:
    transaction = InviteClient(INVITE, CALLER, 0.0)
    ringing = answer(180)

    assert transaction.receive(ringing, 0.1) == Outcome(news=ringing)
    assert transaction.deadline == INFINITY


def test_a_cancelled_invite_is_not_waited_for_for_ever() -> None:
    transaction = InviteClient(INVITE, CALLER, 0.0)
    transaction.receive(answer(180), 0.1)
    transaction.abandon(10.0)
    transaction.receive(answer(180), 11.0)  # it rings on, or this is a copy

    assert lives(transaction) == ([], 42.0)


def test_a_refusal_is_acknowledged_each_time_it_comes() -> None:
    """The call hears of it once; timer D."""
    transaction = InviteClient(INVITE, CALLER, 0.0)
    busy = answer(486)

    first = transaction.receive(busy, 1.0)
    copy = transaction.receive(busy, 1.5)

    assert first.news == busy
    assert copy == Outcome(send=first.send)
    assert first.send is not None
    assert first.send.method == "ACK"
    assert transaction.deadline == 33.0
    transaction.time_is_up(33.0)
    assert transaction.over


def test_the_ack_of_a_refusal() -> None:
    """Its branch and CSeq number are the INVITE's, its To the answer's."""
    ack = acknowledge(INVITE, answer(486))

    assert ack.via == INVITE.via
    assert (ack.cseq.number, ack.cseq.method) == (INVITE.cseq.number, "ACK")
    assert ack.recipient.tag == "theirs"
    assert ack.all("Route") == INVITE.all("Route")


def test_every_2xx_is_news() -> None:
    """Copies want another ACK, forks are calls of their own; timer M."""
    transaction = InviteClient(INVITE, CALLER, 0.0)
    first, fork = answer(200), response_to(INVITE, 200, tag="fork")

    assert transaction.receive(first, 1.0) == Outcome(news=first)
    assert transaction.receive(fork, 2.0) == Outcome(news=fork)
    assert transaction.receive(answer(486), 2.0) == Outcome()
    assert transaction.deadline == 33.0
    assert lives(transaction) == ([], None)
    assert transaction.over


def test_a_provisional_answer_slows_the_copies() -> None:
    transaction = OtherClient(BYE, CALLER, 0.0)
    transaction.receive(answer(100), 1.0)

    assert transaction.deadline == 5.0


def test_copies_of_an_answer_are_absorbed() -> None:
    """Timer K."""
    transaction = OtherClient(BYE, CALLER, 0.0)
    done = answer(200)

    assert transaction.receive(done, 1.0) == Outcome(news=done)
    assert transaction.receive(done, 1.1) == Outcome()
    assert transaction.deadline == 6.0
    assert lives(transaction) == ([], None)


def test_on_streams_an_answer_is_the_end() -> None:
    """Timers D and K are zero."""
    invite, bye = InviteClient(INVITE, STREAM, 0.0), OtherClient(BYE, STREAM, 0.0)
    invite.receive(answer(486), 1.0)
    bye.receive(answer(200), 1.0)

    assert invite.over
    assert bye.over
