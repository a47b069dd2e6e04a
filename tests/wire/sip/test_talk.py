"""An established call, and what the peer wants of it."""

from __future__ import annotations

import pytest

from bridge.wire.sip import actions
from bridge.wire.sip.digest import Challenge
from bridge.wire.sip.messages import Body
from bridge.wire.sip.places import Place, Transport
from tests.wire.sip.scripts import (
    ANSWER,
    OFFER,
    Caller,
    endings,
    endpoint,
    facts,
    methods,
    sent,
    statuses,
)

HOLD = Body(b"v=0 hold\r\n")


def talking() -> Caller:
    caller = Caller(endpoint())
    caller.talks()
    return caller


def test_hold_and_resume() -> None:
    """A re-INVITE is offered to whoever knows what it means, and answered as the call was."""
    caller = talking()
    hold = caller.request("INVITE", (), HOLD)

    offered = caller.says(hold)
    answered = caller.bridge.answer(caller.call, ANSWER, 1.0)
    acknowledged = caller.acknowledges(hold)

    assert facts(offered) == [actions.Reoffered(caller.call, HOLD)]
    assert (statuses(answered), sent(answered)[0].content) == ([200], ANSWER)
    assert facts(acknowledged) == []
    assert caller.waits(60.0) == []


def test_an_offer_that_cannot_be_taken() -> None:
    caller = talking()
    caller.asks("INVITE", (), HOLD)

    assert statuses(caller.bridge.reject(caller.call, 488, 1.0)) == [488]
    assert caller.bridge.calls == [caller.call]


def test_without_an_offer_we_offer() -> None:
    """An INVITE without a body: the answer comes with its ACK."""
    caller = Caller(endpoint())
    invite = caller.invites(body=None)
    caller.bridge.answer(caller.call, OFFER, 0.0)
    established = caller.acknowledges(invite, ANSWER)
    again = caller.request("INVITE")
    caller.says(again)
    caller.bridge.answer(caller.call, OFFER, 0.0)

    assert facts(established) == [actions.Established(caller.call, ANSWER)]
    assert facts(caller.acknowledges(again, ANSWER)) == [actions.OfferAnswered(caller.call, ANSWER)]


def test_an_offer_that_is_taken_back() -> None:
    """CANCEL of a re-INVITE ends that, and not the call."""
    caller = talking()
    hold = caller.request("INVITE", (), HOLD)
    caller.says(hold)
    cancel = caller.request("CANCEL", number=hold.cseq.number, branch=hold.via.branch)

    cancelled = caller.says(cancel)
    late = caller.bridge.answer(caller.call, ANSWER, 1.0)

    assert sorted(statuses(cancelled)) == [200, 487]
    assert late == []
    assert caller.bridge.calls == [caller.call]


def test_update_refreshes_or_offers() -> None:
    caller = talking()

    refreshed = caller.asks("UPDATE")
    offered = caller.asks("UPDATE", (), HOLD)
    answered = caller.bridge.answer(caller.call, ANSWER, 1.0)

    assert (statuses(refreshed), facts(refreshed)) == ([200], [])
    assert facts(offered) == [actions.Reoffered(caller.call, HOLD)]
    assert statuses(answered) == [200]
    assert caller.waits(60.0) == []


def test_a_second_offer_has_to_wait() -> None:
    caller = talking()
    caller.asks("INVITE", (), HOLD)

    refused = caller.asks("INVITE", (), HOLD)

    assert statuses(refused) == [500]
    assert sent(refused)[0].first("Retry-After") is not None


def test_an_offer_across_ours_is_491() -> None:
    caller = talking()
    caller.bridge.offer(caller.call, HOLD, 1.0)

    assert statuses(caller.asks("INVITE", (), HOLD)) == [491]
    assert statuses(caller.asks("UPDATE")) == [200]


def test_old_requests_are_refused() -> None:
    caller = talking()
    caller.asks("INFO")

    assert statuses(caller.says(caller.request("INFO", number=1))) == [500]


def test_keys_by_info() -> None:
    caller = talking()
    key = Body(b"Signal=5\r\nDuration=160\r\n", "application/dtmf-relay")

    pressed = caller.asks("INFO", (), key)
    empty = caller.asks("INFO")
    odd = caller.asks("INFO", (), Body(b"?", "application/dtmf"))
    other = caller.asks("INFO", (), Body(b"x", "text/plain"))

    assert (statuses(pressed), facts(pressed)) == (
        [200],
        [actions.DtmfPressed(caller.call, "5", 160)],
    )
    assert (statuses(empty), facts(empty)) == ([200], [])
    assert (statuses(odd), facts(odd)) == ([200], [])
    assert statuses(other) == [415]


@pytest.mark.parametrize(
    ("method", "status"), [("OPTIONS", 200), ("REFER", 603), ("NOTIFY", 481), ("MESSAGE", 405)]
)
def test_other_requests(method: str, status: int) -> None:
    assert statuses(talking().asks(method)) == [status]


def test_we_hang_up() -> None:
    caller = talking()

    hung_up = caller.bridge.hangup(caller.call, 1.0)
    (bye,) = sent(hung_up)
    answered = caller.answers(bye, 200)

    assert (methods(hung_up), endings(hung_up)) == (["BYE"], ["finished"])
    assert bye.recipient.tag == "caller"
    assert answered == []
    assert caller.bridge.calls == []


def test_bye_waits_for_the_ack() -> None:
    """Before it, the caller does not know yet that there is a call (section 15)."""
    caller = Caller(endpoint())
    invite = caller.invites()
    caller.bridge.answer(caller.call, ANSWER, 0.0)

    hung_up = caller.bridge.hangup(caller.call, 0.1)

    assert (methods(hung_up), endings(hung_up)) == ([], ["finished"])
    assert methods(caller.acknowledges(invite)) == ["BYE"]


def test_no_ack_ever_comes() -> None:
    """The 200 is repeated for 32 seconds, then the call is hung up."""
    caller = Caller(endpoint())
    caller.invites()
    caller.bridge.answer(caller.call, ANSWER, 0.0)

    happened = caller.waits(100.0)

    assert statuses(happened) == [200] * 10
    assert methods(happened)[0] == "BYE"
    assert endings(happened) == ["no_ack"]
    assert caller.bridge.calls == []


def test_byes_that_cross() -> None:
    caller = talking()
    (ours,) = sent(caller.bridge.hangup(caller.call, 1.0))

    theirs = caller.asks("BYE")
    caller.answers(ours, 481)

    assert (statuses(theirs), facts(theirs)) == ([200], [])
    assert caller.bridge.calls == []


def test_a_bye_that_is_challenged() -> None:
    """We have no account at a caller's: that is the end of it as well."""
    caller = talking()
    (bye,) = sent(caller.bridge.hangup(caller.call, 1.0))

    caller.answers(bye, 407, (("Proxy-Authenticate", str(Challenge("r", "n"))),))

    assert caller.bridge.calls == []


def test_an_offer_that_waits_is_let_go_with_the_call() -> None:
    caller = talking()
    caller.asks("UPDATE", (), HOLD)

    assert statuses(caller.bridge.hangup(caller.call, 1.0)) == [487]


def test_a_transfer() -> None:
    """REFER, news of it, success; and the peer hangs up."""
    caller = talking()
    (refer,) = sent(caller.bridge.transfer(caller.call, "+14155550100", 1.0))
    state = (("Event", "refer"), ("Subscription-State", "terminated"))

    accepted = caller.answers(refer, 202)
    done = caller.asks("NOTIFY", state, Body(b"SIP/2.0 200 OK", "message/sipfrag"))
    ended = caller.asks("BYE")

    assert refer.first("Refer-To") == "<sip:+14155550100@192.0.2.10:5060;user=phone>"
    assert facts(accepted) == []
    assert (statuses(done), facts(done)) == ([200], [actions.TransferDone(caller.call, 200)])
    assert endings(ended) == ["transferred"]


def test_transfers_that_come_to_nothing() -> None:
    caller = talking()
    nobody = caller.bridge.transfer(caller.call, "no uri", 1.0)
    (refer,) = sent(caller.bridge.transfer(caller.call, "sip:c@example.com", 1.0))
    second = caller.bridge.transfer(caller.call, "sip:d@example.com", 1.0)
    refused = caller.answers(refer, 405)
    caller.bridge.transfer(caller.call, "sip:d@example.com", 2.0)
    silent = caller.waits(40.0)

    assert facts(nobody) == [actions.TransferDone(caller.call, 484)]
    assert second == []
    assert facts(refused) == [actions.TransferDone(caller.call, 405)]
    assert facts(silent) == [actions.TransferDone(caller.call, 408)]
    assert caller.bridge.calls == [caller.call]


def test_a_caller_that_moves_is_followed() -> None:
    """Its re-INVITE comes from another address, and BYE goes there."""
    caller = talking()
    caller.place = Place(Transport.UDP, "192.0.2.20", 6000)
    moved = caller.request("INVITE", (), HOLD)
    headers = tuple(
        ("Contact", "<sip:caller@192.0.2.20:6000>") if pair[0] == "Contact" else pair
        for pair in moved.headers
    )
    caller.says(type(moved)(moved.method, moved.uri, headers, moved.body))
    caller.bridge.answer(caller.call, ANSWER, 1.0)
    caller.acknowledges(moved)

    (bye, _) = caller.bridge.hangup(caller.call, 2.0)

    assert isinstance(bye, actions.Send)
    assert bye.to == caller.place
