"""Which transaction a message belongs to."""

from __future__ import annotations

from bridge.wire.sip.headers import Via
from bridge.wire.sip.places import Transport
from bridge.wire.sip.responses import respond
from bridge.wire.sip.transactions import Transactions
from tests.wire.sip.scripts import CALLER, Caller, endpoint, identity, response_to


def test_a_copy_is_no_news() -> None:
    transactions, request = Transactions(), Caller(endpoint()).request("OPTIONS")

    first = transactions.request(request, CALLER, 0.0)
    waiting = transactions.request(request, CALLER, 0.1)
    (reply,) = transactions.reply(request, respond(request, 200), 0.2)
    answered = transactions.request(request, CALLER, 0.3)

    assert first.request == request
    assert (waiting.request, waiting.sends) == (None, [])
    assert (answered.request, answered.sends) == (None, [reply])


def test_the_same_branch_of_another_sender_is_another_request() -> None:
    transactions, request = Transactions(), Caller(endpoint()).request("OPTIONS")
    via = Via("UDP", "192.0.2.77", 5060, (("branch", request.via.branch),))

    transactions.request(request, CALLER, 0.0)

    assert transactions.request(request.with_top(via), CALLER, 0.0).request is not None


def test_a_cancel_finds_its_invite() -> None:
    caller, transactions = Caller(endpoint()), Transactions()
    invite = caller.request("INVITE")
    cancel = caller.request("CANCEL", number=1, branch=invite.via.branch)
    transactions.request(invite, CALLER, 0.0)

    assert transactions.knows(cancel)
    assert transactions.request(cancel, CALLER, 0.1).request == cancel
    assert transactions.invite_of(cancel) == invite
    assert transactions.invite_of(caller.request("CANCEL")) is None


def test_there_is_room_for_so_many() -> None:
    """An INVITE flood costs no more memory than that."""
    caller, transactions = Caller(endpoint()), Transactions(most=2)

    news = [transactions.request(caller.request("INVITE"), CALLER, 0.0) for _ in range(3)]

    assert [one.full for one in news] == [False, False, True]
    assert len(transactions) == 2


def test_an_answer_finds_its_request() -> None:
    transactions, request = Transactions(), Caller(endpoint()).request("OPTIONS")
    transactions.ask(request, CALLER, 0.0)
    answer = response_to(request, 200)

    assert transactions.response(answer, 0.1).answered == (request, answer)
    assert transactions.response(answer, 0.2).answered is None
    assert transactions.response(answer, 0.2).known
    assert not transactions.response(response_to(request.with_top(other()), 200), 0.3).known


def other() -> Via:
    return identity().via(Transport.UDP)


def test_silence_is_told_and_nothing_is_left() -> None:
    transactions, request = Transactions(), Caller(endpoint()).request("OPTIONS")
    transactions.ask(request, CALLER, 0.0)
    silent = []
    while (deadline := transactions.deadline) is not None:
        silent += transactions.time_is_up(deadline).silent

    assert silent == [request]
    assert len(transactions) == 0


def test_an_unreachable_place() -> None:
    """Only requests that wait for an answer are lost."""
    caller, transactions = Caller(endpoint()), Transactions()
    waiting, answered = caller.request("OPTIONS"), caller.request("INFO")
    transactions.ask(waiting, CALLER, 0.0)
    transactions.ask(answered, CALLER, 0.0)
    transactions.response(response_to(answered, 200), 0.1)

    assert transactions.unreachable(CALLER) == [waiting]


def test_answers_that_nobody_asked_for_are_nothing() -> None:
    request = Caller(endpoint()).request("OPTIONS")

    assert Transactions().reply(request, respond(request, 200), 0.0) == []
