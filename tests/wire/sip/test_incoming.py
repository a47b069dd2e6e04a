"""A call that has not been answered yet."""

from __future__ import annotations

import pytest

from bridge.wire.sip.messages import Body
from tests.wire.sip.scripts import ANSWER, Caller, endings, endpoint, methods, sent, statuses


def test_ringing_and_early_media() -> None:
    caller = Caller(endpoint())
    caller.invites()

    ringing = caller.bridge.ring(caller.call, 0.1)
    early = caller.bridge.ring(caller.call, 0.2, 183, Body(b"v=0"))

    assert (statuses(ringing), statuses(early)) == ([180], [183])
    assert sent(early)[0].content == Body(b"v=0")
    assert sent(ringing)[0].recipient.tag == caller.call


def test_a_call_is_rejected() -> None:
    """The refusal is repeated until its ACK; then nothing is left."""
    caller = Caller(endpoint())
    invite = caller.invites()

    refused = caller.bridge.reject(caller.call, 503, 0.0, retry_after=20)
    repeated = caller.waits(1.0)
    caller.says(caller.request("ACK", number=1, branch=invite.via.branch))

    assert (statuses(refused), endings(refused)) == ([503], ["rejected"])
    assert sent(refused)[0].first("Retry-After") == "20"
    assert statuses(repeated) == [503]
    assert statuses(caller.waits(100.0)) == []
    assert caller.bridge.deadline is None


def test_the_caller_cancels() -> None:
    """200 to CANCEL, 487 to INVITE; an answer that comes too late is nothing."""
    caller = Caller(endpoint())
    invite = caller.invites()
    caller.to_tag = None

    cancelled = caller.says(caller.request("CANCEL", number=1, branch=invite.via.branch))

    assert statuses(cancelled) == [200, 487]
    assert endings(cancelled) == ["cancelled"]
    assert caller.bridge.answer(caller.call, ANSWER, 0.1) == []


def test_a_cancel_that_comes_too_late() -> None:
    """Our 200 was on its way: CANCEL changes nothing, ACK and BYE follow."""
    caller = Caller(endpoint())
    invite = caller.invites()
    caller.bridge.answer(caller.call, ANSWER, 0.0)

    cancelled = caller.says(caller.request("CANCEL", number=1, branch=invite.via.branch))
    caller.acknowledges(invite)

    assert (statuses(cancelled), endings(cancelled)) == ([200], [])
    assert endings(caller.asks("BYE")) == ["hangup"]


def test_nobody_here_answers() -> None:
    caller = Caller(endpoint())
    caller.invites()

    happened = caller.waits(200.0)

    assert statuses(happened)[0] == 480
    assert endings(happened) == ["unanswered"]


@pytest.mark.parametrize(
    ("method", "status"),
    [("OPTIONS", 200), ("UPDATE", 500), ("INVITE", 500), ("REFER", 603), ("INFO", 481)],
)
def test_requests_before_the_answer(method: str, status: int) -> None:
    caller = Caller(endpoint())
    caller.invites()

    assert statuses(caller.asks(method)) == [status]


def test_a_bye_before_the_answer_is_an_end_as_well() -> None:
    caller = Caller(endpoint())
    caller.invites()

    happened = caller.asks("BYE")

    assert sorted(statuses(happened)) == [200, 487]
    assert endings(happened) == ["cancelled"]


def test_hanging_up_before_the_answer() -> None:
    caller = Caller(endpoint())
    caller.invites()

    happened = caller.bridge.hangup(caller.call, 0.1)

    assert (statuses(happened), methods(happened), endings(happened)) == ([480], [], ["finished"])
