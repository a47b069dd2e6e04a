"""Our own changes of a session."""

from __future__ import annotations

import pytest

from bridge.wire.sip import actions
from bridge.wire.sip.messages import Body, Headers
from tests.wire.sip.scripts import (
    ANSWER,
    Caller,
    endings,
    endpoint,
    facts,
    methods,
    sent,
    statuses,
)

HOLD = Body(b"v=0 hold\r\n")
MOVED = Body(b"v=0 moved\r\n")
TIMER: Headers = (("Supported", "timer"), ("Session-Expires", "600;refresher=uas"))


def talking(headers: Headers = ()) -> Caller:
    caller = Caller(endpoint())
    caller.talks(headers)
    return caller


def test_an_offer_is_answered() -> None:
    caller = talking()

    (invite,) = sent(caller.bridge.offer(caller.call, HOLD, 1.0))
    answered = caller.answers(invite, 200, (), ANSWER)
    copy = caller.answers(invite, 200, (), ANSWER)

    assert invite.content == HOLD
    assert methods(answered) == ["ACK"]
    assert facts(answered) == [actions.OfferAnswered(caller.call, ANSWER)]
    assert (sent(copy), facts(copy)) == (sent(answered), [])


def test_an_offer_is_refused() -> None:
    """The session goes on as it was."""
    caller = talking()
    (invite,) = sent(caller.bridge.offer(caller.call, HOLD, 1.0))

    refused = caller.answers(invite, 488)

    assert facts(refused) == [actions.OfferRefused(caller.call, 488)]
    assert caller.bridge.calls == [caller.call]


def test_the_newest_wish_follows_what_is_under_way() -> None:
    caller = talking()
    (invite,) = sent(caller.bridge.offer(caller.call, HOLD, 1.0))

    waiting = caller.bridge.offer(caller.call, MOVED, 1.0)
    answered = caller.answers(invite, 200, (), ANSWER)

    assert waiting == []
    assert methods(answered) == ["ACK", "INVITE"]
    assert sent(answered)[1].content == MOVED


def test_an_offer_waits_for_the_peers() -> None:
    caller = talking()
    theirs = caller.request("INVITE", (), HOLD)
    caller.says(theirs)

    waiting = caller.bridge.offer(caller.call, MOVED, 1.0)
    caller.bridge.answer(caller.call, ANSWER, 1.0)
    acknowledged = caller.acknowledges(theirs)

    assert waiting == []
    assert methods(acknowledged) == ["INVITE"]


def test_after_a_collision_it_is_tried_again() -> None:
    """Who did not make the call waits for up to two seconds."""
    caller = talking()
    (invite,) = sent(caller.bridge.offer(caller.call, HOLD, 0.0))
    collided = caller.answers(invite, 491)

    again = caller.waits(2.0)

    assert facts(collided) == []
    assert methods(again)[0] == "INVITE"
    assert sent(again)[0].cseq.number > invite.cseq.number


@pytest.mark.parametrize("status", [408, 481])
def test_a_peer_that_knows_nothing_of_the_call(status: int) -> None:
    caller = talking()
    (invite,) = sent(caller.bridge.offer(caller.call, HOLD, 1.0))

    happened = caller.answers(invite, status)

    assert endings(happened) == ["lost"]
    assert "BYE" in methods(happened)


def test_a_peer_that_never_answers() -> None:
    caller = talking()
    caller.bridge.offer(caller.call, HOLD, 0.0)

    assert endings(caller.waits(33.0)) == ["lost"]


def test_refreshing_by_update() -> None:
    caller = talking((*TIMER, ("Allow", "INVITE, UPDATE")))

    (update,) = sent(caller.waits(300.0))
    caller.answers(update, 200, (("Session-Expires", "600;refresher=uac"),))

    assert methods([actions.Send(update, caller.place)]) == ["UPDATE"]
    assert update.content is None
    assert methods(caller.waits(300.0)) == ["UPDATE"]


def test_refreshing_by_invite_with_the_session_as_it_is() -> None:
    """For a peer that does not know UPDATE, or says so when it is asked."""
    caller = talking(TIMER)
    unsure = talking((*TIMER, ("Allow", "INVITE, UPDATE")))
    (update,) = sent(unsure.waits(300.0))

    (invite,) = sent(caller.waits(300.0))
    instead = unsure.answers(update, 405)

    assert (invite.content, methods(instead)) == (ANSWER, ["INVITE"])


def test_a_refresh_that_is_refused_ends_with_its_interval() -> None:
    caller = talking((*TIMER, ("Allow", "INVITE, UPDATE")))
    (update,) = sent(caller.waits(300.0))

    refused = caller.answers(update, 403)

    assert facts(refused) == []
    assert endings(caller.waits(280.0)) == ["session_expired"]


def test_a_refresh_for_longer() -> None:
    caller = talking((*TIMER, ("Allow", "INVITE, UPDATE")))
    (update,) = sent(caller.waits(300.0))

    again = caller.answers(update, 422, (("Min-SE", "7200"),))

    assert sent(again)[-1].first("Session-Expires") == "7200;refresher=uac"
    assert statuses(again) == []
