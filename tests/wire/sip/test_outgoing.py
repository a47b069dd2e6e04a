"""A call that we make, until it is answered."""

from __future__ import annotations

import pytest

from bridge.wire.sip import actions
from bridge.wire.sip.digest import Challenge, Credentials
from bridge.wire.sip.faults import SipProtocolError
from bridge.wire.sip.login import Account
from bridge.wire.sip.messages import Request
from bridge.wire.sip.outgoing import Plan
from tests.wire.sip.scripts import (
    ANSWER,
    CALLER,
    OFFER,
    Caller,
    endings,
    endpoint,
    facts,
    methods,
    sent,
)

PLAN = Plan("sip:+14155550100@192.0.2.10", "sip:bridge@198.51.100.7", CALLER, OFFER, 'B "x"')


def dials(account: Account | None = None, plan: Plan = PLAN) -> tuple[Caller, str, Request]:
    callee = Caller(endpoint(), tag="callee")
    call, happened = callee.bridge.dial(plan, account, 0.0)
    (invite,) = sent(happened)
    assert isinstance(invite, Request)
    return callee, call, invite


def test_a_call_is_answered() -> None:
    callee, call, invite = dials()

    ringing = callee.answers(invite, 180)
    answered = callee.answers(invite, 200, (), ANSWER)

    assert invite.content == OFFER
    assert invite.sender.display == 'B "x"'
    assert facts(ringing) == [actions.Ringing(call, 180)]
    assert facts(answered) == [actions.Established(call, ANSWER)]
    (ack,) = sent(answered)
    assert isinstance(ack, Request)
    assert (ack.method, ack.uri) == ("ACK", "sip:callee@192.0.2.10:5060")
    assert ack.via.branch != invite.via.branch


def test_a_copy_of_the_200_wants_the_same_ack() -> None:
    callee, _, invite = dials()
    first = callee.answers(invite, 200, (), ANSWER)

    copy = callee.answers(invite, 200, (), ANSWER)

    assert sent(copy) == sent(first)[:1]
    assert facts(copy) == []


def test_of_two_who_answer_one_is_talked_to() -> None:
    """A proxy forked: the second one gets ACK and BYE, and its answer ends no call of ours."""
    callee, call, invite = dials()
    callee.answers(invite, 200, (), ANSWER)

    second = callee.answers(invite, 200, (), ANSWER, tag="second")
    fork = sent(second)[1]
    (ours,) = sent(callee.bridge.hangup(call, 1.0))
    callee.answers(fork, 200)
    between = callee.bridge.calls
    callee.answers(ours, 200)

    assert methods(second) == ["ACK", "BYE"]
    assert (fork.recipient.tag, ours.recipient.tag) == ("second", "callee")
    assert between == [call]
    assert callee.bridge.calls == []


def test_a_challenge_is_answered_once() -> None:
    callee, _, invite = dials(Account("anna", "secret"))
    challenge = (("Proxy-Authenticate", str(Challenge("trunk", "n", "SHA-256"))),)

    again = callee.answers(invite, 407, challenge)
    retried = sent(again)[1]
    refused = callee.answers(retried, 407, challenge)

    assert methods(again) == ["ACK", "INVITE"]
    assert isinstance(retried, Request)
    assert (retried.cseq.number, retried.call_id) == (2, invite.call_id)
    assert retried.via.branch != invite.via.branch
    header = retried.first("Proxy-Authorization") or ""
    assert Credentials.read(header).proven("INVITE", "secret")
    assert endings(refused) == ["forbidden"]


def test_a_longer_interval_is_agreed_to() -> None:
    callee, _, invite = dials()

    again = callee.answers(invite, 422, (("Min-SE", "3600"),))

    assert methods(again) == ["ACK", "INVITE"]
    assert sent(again)[1].first("Session-Expires") == "3600"
    assert endings(callee.answers(sent(again)[1], 422, (("Min-SE", "3600"),))) == [
        "carrier_refused"
    ]


@pytest.mark.parametrize(
    ("status", "reason"),
    [
        (486, "busy"),
        (480, "no_answer"),
        (404, "unknown_number"),
        (403, "forbidden"),
        (488, "no_common_codec"),
        (603, "declined"),
        (503, "carrier_refused"),
        (302, "carrier_refused"),
    ],
)
def test_refusals(status: int, reason: str) -> None:
    callee, call, invite = dials()

    refused = callee.answers(invite, status, (("Retry-After", "120 (later)"),))

    (ended,) = facts(refused)
    assert isinstance(ended, actions.Ended)
    assert (ended.ending.reason, ended.status, ended.retry_after) == (reason, status, 120)
    assert methods(refused) == ["ACK"]
    assert call not in callee.bridge.calls


def test_nobody_is_there() -> None:
    callee, _, _ = dials()

    happened = callee.waits(40.0)

    assert methods(happened) == ["INVITE"] * 6
    assert endings(happened) == ["unreachable"]


def test_it_rings_for_too_long() -> None:
    callee, _, invite = dials()
    callee.answers(invite, 180)

    happened = callee.waits(130.0)

    assert methods(happened)[0] == "CANCEL"
    assert endings(happened) == ["no_answer"]


def test_no_cancel_before_anything_was_heard() -> None:
    """Then it goes out with the first provisional answer (section 9.1)."""
    callee, call, invite = dials()

    hung_up = callee.bridge.hangup(call, 0.1)
    cancel = callee.answers(invite, 100)
    more = callee.answers(invite, 180)
    refused = callee.answers(invite, 487)

    assert (methods(hung_up), endings(hung_up)) == ([], ["finished"])
    assert methods(cancel) == ["CANCEL"]
    assert sent(cancel)[0].via == invite.via
    assert (methods(more), facts(more)) == ([], [])
    assert (methods(refused), facts(refused)) == (["ACK"], [])
    assert callee.bridge.calls == []


def test_whoever_answers_a_cancelled_call_is_hung_up() -> None:
    """The 200 and the CANCEL crossed."""
    callee, call, invite = dials()
    callee.answers(invite, 180)
    callee.bridge.hangup(call, 0.1)

    crossed = callee.answers(invite, 200, (), ANSWER)

    assert methods(crossed) == ["ACK", "BYE"]
    assert facts(crossed) == []


@pytest.mark.parametrize("target", ["+14155550100", "sip:a b@h", "sip:a@h>\r\nX: y"])
def test_targets_that_are_no_uris(target: str) -> None:
    with pytest.raises(SipProtocolError):
        Plan(target, "sip:a@h", CALLER, OFFER)


def test_no_header_is_smuggled_in() -> None:
    with pytest.raises(SipProtocolError):
        Plan("sip:a@h", "sip:b@h", CALLER, OFFER, headers=(("X-Call", "1\r\nEvil: yes"),))
