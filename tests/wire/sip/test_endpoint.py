"""A process's SIP: who is heard, what is answered, and which call a message belongs to."""

from __future__ import annotations

import pytest

from bridge.wire.sip import actions
from bridge.wire.sip.actions import Dropped, TurnedAway
from bridge.wire.sip.digest import Challenge
from bridge.wire.sip.guard import Guard
from bridge.wire.sip.messages import Request, Response
from bridge.wire.sip.outgoing import Plan
from bridge.wire.sip.peers import Rules
from bridge.wire.sip.places import Place, Transport
from bridge.wire.sip.registration import Registry
from tests.wire.sip.scripts import (
    ANSWER,
    CALLER,
    OFFER,
    STRANGER,
    STREAM,
    Caller,
    endings,
    endpoint,
    facts,
    methods,
    sent,
    statuses,
    tokens,
)

REGISTRY = Registry("trunk", "sip:bridge@example.com", CALLER)
PLAN = Plan("sip:+14155550100@192.0.2.10", "sip:bridge@198.51.100.7", CALLER, OFFER)


def test_a_call_from_invite_to_bye() -> None:
    """100 at once, 200 with our answer, ACK, BYE."""
    caller = Caller(endpoint())
    invite = caller.request("INVITE", body=OFFER)

    offered = caller.says(invite)
    caller.call = caller.to_tag = caller.bridge.calls[0]
    answered = caller.bridge.answer(caller.call, ANSWER, 0.1)
    acknowledged = caller.acknowledges(invite)
    ended = caller.asks("BYE")

    assert statuses(offered) == [100]
    assert [fact.body for fact in facts(offered) if isinstance(fact, actions.Offered)] == [OFFER]
    assert statuses(answered) == [200]
    assert sent(answered)[0].content == ANSWER
    assert facts(acknowledged) == [actions.Established(caller.call)]
    assert (statuses(ended), endings(ended)) == ([200], ["hangup"])
    assert caller.bridge.calls == []


def test_an_invite_after_its_200_is_absorbed() -> None:
    """The copy is neither a new call nor a 481; the 200 is repeated by its own timer."""
    caller = Caller(endpoint())
    invite = caller.invites()
    caller.bridge.answer(caller.call, ANSWER, 0.0)

    copy = caller.says(invite)
    repeated = caller.waits(1.6)

    assert copy == []
    assert statuses(repeated) == [200, 200]
    assert facts(caller.acknowledges(invite)) == [actions.Established(caller.call)]


def test_strangers_hear_nothing() -> None:
    caller = Caller(endpoint(), STRANGER)

    assert caller.asks("INVITE", body=OFFER) == [Dropped("stranger")]
    assert caller.asks("OPTIONS") == [Dropped("stranger")]
    assert caller.asks("ACK") == [Dropped("stray_ack")]


def test_strangers_are_told_if_that_is_wished() -> None:
    caller = Caller(endpoint(Rules(polite=True)), STRANGER)

    happened = caller.asks("INVITE", body=OFFER)

    assert statuses(happened) == [403]
    assert facts(happened) == [TurnedAway("forbidden", 403)]


def test_a_stranger_with_an_account_is_let_in() -> None:
    """401 without a transaction or a memory; the INVITE with the password is a call."""
    guard = Guard("bridge", {"anna": "secret"}, b"key", tokens("n"))
    caller = Caller(endpoint(Rules(accounts=True), guard), STRANGER)
    challenged = caller.asks("INVITE", body=OFFER)
    refusal = sent(challenged)[0]
    challenge = Challenge.read(refusal.all("WWW-Authenticate")[0])
    blank = challenge.answer("sip:agent@198.51.100.7", "anna", "cn", 1)
    header = ("Authorization", str(blank.signed("INVITE", "secret")))

    let_in = caller.asks("INVITE", (header,), OFFER)

    assert statuses(challenged) == [401]
    assert facts(challenged) == [TurnedAway("challenged", 401)]
    assert statuses(let_in) == [100]
    assert [one.account for one in facts(let_in) if isinstance(one, actions.Offered)] == ["anna"]


def test_wrong_passwords_end_in_silence() -> None:
    guard = Guard("bridge", {"anna": "secret"}, b"key", tokens("n"))
    rules = Rules(accounts=True, failures=2)
    caller = Caller(endpoint(rules, guard), STRANGER)
    wrong = 'Digest username="anna", realm="bridge", nonce="n", uri="u", response="x"'
    header = ("Authorization", f"{wrong}, algorithm=MD5")

    answers = [caller.asks("INVITE", (header,), OFFER) for _ in range(3)]

    assert [statuses(answer) for answer in answers] == [[401], [401], []]
    assert answers[2] == [Dropped("stranger")]


def test_options_are_answered() -> None:
    """Carriers ask in this way whether we live."""
    happened = Caller(endpoint()).asks("OPTIONS")

    assert statuses(happened) == [200]
    assert "INVITE" in (sent(happened)[0].first("Allow") or "")


@pytest.mark.parametrize(
    ("method", "status"),
    [
        ("BYE", 481),
        ("CANCEL", 481),
        ("INFO", 481),
        ("REFER", 603),
        ("MESSAGE", 405),
        ("PRACK", 405),
    ],
)
def test_what_belongs_to_no_call(method: str, status: int) -> None:
    assert statuses(Caller(endpoint()).asks(method)) == [status]


def test_a_tag_that_we_never_gave_is_481() -> None:
    caller = Caller(endpoint(), to_tag="guessed")

    assert statuses(caller.asks("INVITE", body=OFFER)) == [481]


def test_our_tag_alone_opens_no_call() -> None:
    """Whoever guesses our tag also has to know Call-ID and the caller's tag."""
    caller = Caller(endpoint())
    caller.talks()
    thief = Caller(caller.bridge, call_id="other", to_tag=caller.call)

    assert statuses(thief.asks("BYE")) == [481]
    assert caller.bridge.calls == [caller.call]


def test_the_same_call_by_another_way_is_482() -> None:
    """A proxy forked the INVITE to us twice."""
    caller = Caller(endpoint())
    invite = caller.invites()
    caller.to_tag = None
    fork = caller.request("INVITE", body=OFFER, number=invite.cseq.number)

    assert statuses(caller.says(fork)) == [482]


def test_unreadable_requests_are_answered_400_and_counted() -> None:
    caller = Caller(endpoint())
    broken = caller.request("OPTIONS").render().replace(b"Max-Forwards: 70", b"Max-Forwards: x")

    happened = caller.bridge.receive(broken, CALLER, 0.0)

    assert statuses(happened) == [400]
    assert facts(happened) == [TurnedAway("header", 400)]
    assert caller.bridge.receive(b"\xff\x00", CALLER, 0.0) == [Dropped("start_line")]
    assert caller.bridge.receive(b"\r\n\r\n", CALLER, 0.0) == []


def test_answers_go_where_the_request_came_from() -> None:
    """Past an address translator: rport and received (RFC 3581); streams by their connection."""
    caller = Caller(endpoint(), Place(Transport.UDP, "192.0.2.99", 41234))
    request = caller.request("OPTIONS").render().replace(b";branch", b";rport;branch")

    (action,) = caller.bridge.receive(request, caller.place, 0.0)
    (by_stream,) = Caller(endpoint(), STREAM).asks("OPTIONS")

    assert isinstance(action, actions.Send)
    assert action.to == caller.place
    assert action.message.via.parameter("received") == "192.0.2.99"
    assert action.message.via.parameter("rport") == "41234"
    assert isinstance(by_stream, actions.Send)
    assert by_stream.to == STREAM


def test_answers_to_nothing_are_dropped() -> None:
    caller = Caller(endpoint())
    ask = caller.request("OPTIONS")

    assert caller.answers(ask, 200) == [Dropped("stray_response")]


def test_a_broken_connection_ends_what_waits_on_it() -> None:
    caller = Caller(endpoint(), STREAM)
    plan = Plan(PLAN.target, PLAN.sender, STREAM, OFFER)
    call, asked = caller.bridge.dial(plan, None, 0.0)

    happened = caller.bridge.unreachable(STREAM, 1.0)

    assert methods(asked) == ["INVITE"]
    assert endings(happened) == ["unreachable"]
    assert call not in caller.bridge.calls


def test_registrations_live_beside_calls() -> None:
    caller = Caller(endpoint())
    key, asked = caller.bridge.register(REGISTRY, None, 0.0)

    happened = caller.answers(sent(asked)[0], 200, (("Expires", "600"),))
    again = caller.waits(600.0)
    leaving = caller.bridge.unregister(key, 600.0)

    assert facts(happened) == [actions.Registered("trunk", 600)]
    assert "REGISTER" in methods(again)
    assert sent(leaving)[0].first("Expires") == "0"
    assert caller.bridge.calls == []


def test_wishes_of_calls_that_are_gone_are_nothing() -> None:
    bridge = endpoint()

    assert bridge.answer("gone", ANSWER, 0.0) == []
    assert bridge.hangup("gone", 0.0) == []
    assert bridge.ring("gone", 0.0) == []
    assert bridge.reject("gone", 486, 0.0) == []
    assert bridge.offer("gone", OFFER, 0.0) == []
    assert bridge.transfer("gone", "+1415", 0.0) == []
    assert bridge.unregister("gone", 0.0) == []


def test_nothing_is_left_of_many_calls() -> None:
    """Neither calls nor transactions nor alarms."""
    bridge = endpoint()
    caller = Caller(bridge)
    for number in range(100):
        caller = Caller(bridge, call_id=f"c{number}", branches=tokens(f"z9hG4bK{number}-"))
        caller.talks()
        caller.asks("BYE")
    caller.waits(200.0)

    assert bridge.calls == []
    assert bridge.deadline is None


def test_messages_do_not_print_their_callers() -> None:
    """What is logged by accident holds no number and no name."""
    caller = Caller(endpoint())
    request = caller.request("INVITE", body=OFFER)
    response = sent(caller.says(request))[0]

    assert isinstance(response, Response)
    assert "caller" not in repr(request) + repr(response) + repr(PLAN)
    assert isinstance(request, Request)
