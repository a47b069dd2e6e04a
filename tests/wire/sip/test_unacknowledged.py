"""A 200 that waits for its ACK."""

from __future__ import annotations

from bridge.wire.sip.responses import respond
from bridge.wire.sip.unacknowledged import Unacknowledged
from tests.wire.sip.scripts import Caller, endpoint


def test_it_is_repeated_and_given_up() -> None:
    """T1 doubling up to T2, for 64 T1."""
    caller = Caller(endpoint())
    invite = caller.request("INVITE")
    waiting = Unacknowledged(invite, respond(invite, 200), 0.0, initial=True, offered=False)
    times = []
    while not waiting.hopeless(waiting.deadline):
        now = waiting.deadline
        times += [now for _ in waiting.time_is_up(now)]

    assert times == [0.5, 1.5, 3.5, 7.5, 11.5, 15.5, 19.5, 23.5, 27.5, 31.5]
    assert waiting.deadline == 32.0
    assert waiting.answered_by(caller.request("ACK", number=1))
    assert not waiting.answered_by(caller.request("ACK", number=2))
