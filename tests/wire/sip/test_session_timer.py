"""Session timers (RFC 4028)."""

from __future__ import annotations

import pytest

from bridge.wire.sip.faults import SipProtocolError
from bridge.wire.sip.messages import Headers, Request, Response
from bridge.wire.sip.session_timer import Agreed, Due, SessionTimer, agree, learn, offer, shortest

TIMER = ("Supported", "timer")


def invite(*headers: tuple[str, str]) -> Request:
    return Request("INVITE", "sip:a@h", headers)


@pytest.mark.parametrize(
    ("headers", "agreed"),
    [
        ((), None),
        ((("Session-Expires", "600"),), None),
        ((TIMER,), Agreed(1800, ours=False)),
        ((TIMER, ("Min-SE", "3600")), Agreed(3600, ours=False)),
        ((TIMER, ("Session-Expires", "600")), Agreed(600, ours=False)),
        ((TIMER, ("Session-Expires", "600;refresher=uas")), Agreed(600, ours=True)),
        ((TIMER, ("Session-Expires", "600 ; refresher=UAC")), Agreed(600, ours=False)),
    ],
)
def test_what_we_agree_to(headers: Headers, agreed: Agreed | None) -> None:
    assert agree(invite(*headers)) == agreed


@pytest.mark.parametrize(("value", "status"), [("89", 422), ("x", 400), ("-1", 400), ("", 400)])
def test_intervals_that_are_refused(value: str, status: int) -> None:
    with pytest.raises(SipProtocolError) as refused:
        agree(invite(TIMER, ("Session-Expires", value)))

    assert refused.value.status == status


def test_the_answer_says_who_refreshes() -> None:
    assert Agreed(600, ours=True).answer() == (("Session-Expires", "600;refresher=uas"),)
    assert ("Require", "timer") in Agreed(600, ours=False).answer()


def test_what_a_2xx_says() -> None:
    def response(value: str) -> Response:
        return Response(200, "OK", (("Session-Expires", value),))

    assert learn(response("600;refresher=uac")) == Agreed(600, ours=True)
    assert learn(response("600;refresher=uas")) == Agreed(600, ours=False)
    assert learn(response("5")) == Agreed(90, ours=True)
    assert learn(response("soon")) is None
    assert learn(Response(200, "OK", ())) is None


def test_who_refreshes_does_so_at_half_time() -> None:
    """And gives up if that did not help."""
    timer = SessionTimer()
    timer.start(Agreed(600, ours=True), 100.0)

    assert timer.deadline == 400.0
    assert timer.due(399.0) is None
    assert timer.due(400.0) is Due.REFRESH
    assert timer.deadline == 668.0
    assert timer.due(668.0) is Due.EXPIRED
    assert timer.deadline is None


def test_who_does_not_refresh_waits() -> None:
    timer = SessionTimer()
    timer.start(Agreed(90, ours=False), 0.0)

    waiting = timer.deadline
    timer.start(None, 1.0)

    assert (waiting, timer.deadline) == (60.0, None)
    assert timer.due(1000.0) is None


def test_what_we_offer() -> None:
    assert ("Session-Expires", "1800;refresher=uac") in offer(refreshing=True)
    assert shortest(invite(("Min-SE", "300;x=y"))) == 300
    assert shortest(invite()) == 90
