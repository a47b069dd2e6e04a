"""The calls on this worker, and room for others."""

from __future__ import annotations

import asyncio

import pytest

from bridge.call.switchboard import Switchboard
from bridge.call.timeline import Timeline
from bridge.errors import Ending
from bridge.ports.leg import Verdict
from bridge.ports.session import RealtimeConfig


class Call:
    """As much of a call as a switchboard has to do with."""

    def __init__(self, call_id: str) -> None:
        self.call_id = call_id
        self.carrier = "twilio"
        self.started_at = 0.0
        self.timeline = Timeline(0.0)
        self.returns = True
        self.at_boundary = True

    def end(self, ending: Ending, verdict: Verdict) -> None:
        """Nobody asks for it here."""

    def hand_over(self) -> None:
        """Nor for this."""

    def step_aside(self) -> None:
        """Nor for this."""

    def look_after_mail(self) -> None:
        """There is none."""

    async def gone(self) -> None:
        """It is not there."""

    async def change(self, change: RealtimeConfig, bridge_message: str | None) -> str:
        return "applied"


async def test_a_call_is_found_while_it_lasts() -> None:
    board, call = Switchboard(2), Call("CA1")

    with board.connect(call):
        assert board.find("CA1") is call
        assert list(board) == [call]
        assert len(board) == 1

    assert board.find("CA1") is None
    assert len(board) == 0


async def test_a_call_that_failed_is_gone_too() -> None:
    board = Switchboard(2)

    with pytest.raises(RuntimeError), board.connect(Call("CA1")):
        raise RuntimeError("a fault")

    assert len(board) == 0


async def test_a_newer_leg_takes_the_place_of_an_older() -> None:
    """And stays there when the older has gone."""
    board, older, newer = Switchboard(2), Call("CA1"), Call("CA1")
    at_first = board.connect(older)
    at_first.__enter__()

    with board.connect(newer):
        at_first.__exit__(None, None, None)

        assert board.find("CA1") is newer
        assert len(board) == 1


async def test_a_full_worker_says_so() -> None:
    """And lets in a call that comes back all the same."""
    board = Switchboard(1)
    told = [(board.welcome, board.refusal())]

    with board.connect(Call("CA1")):
        told.append((board.welcome, board.refusal()))
        with board.connect(Call("CA2")):
            assert len(board) == 2
    told.append((board.welcome, board.refusal()))

    assert told == [(True, None), (False, "full"), (True, None)]


async def test_calls_that_are_on_their_way_take_room() -> None:
    board = Switchboard(2)

    assert [board.refusal(expected) for expected in (1, 2)] == [None, "full"]


def strained(board: Switchboard) -> Switchboard:
    """Its loop was blocked for a second."""
    board.strain.saw(0.0, 0.0, 1.0)
    board.strain.saw(0.9, 0.9, 2.0)
    return board


async def test_a_worker_without_a_bound_takes_what_it_can_bear() -> None:
    """But who has no call at all takes one."""
    board = Switchboard(None)
    told = []
    with board.connect(Call("CA1")):
        told.append(board.refusal())
        strained(board)
        told.append(board.refusal())
    told += board.refusal(), board.refusal(expected=1)

    assert told == [None, "overloaded", None, "overloaded"]


async def test_a_bound_is_all_that_bounds() -> None:
    """Whoever sets it knows the machine."""
    board = strained(Switchboard(2))
    with board.connect(Call("CA1")):
        assert board.refusal() is None


async def test_a_draining_worker_says_so_first() -> None:
    board = Switchboard(0)
    board.draining = True

    assert board.refusal() == "draining"


async def test_somebody_waits_until_all_are_gone() -> None:
    board = Switchboard(5)
    await board.empty()
    with board.connect(Call("CA1")):
        with board.connect(Call("CA2")):
            waiting = asyncio.create_task(board.empty())
            await asyncio.sleep(0)
        await asyncio.sleep(0)

        assert not waiting.done()

    await waiting


async def test_calls_may_go_while_somebody_looks() -> None:
    board = Switchboard(5)
    with board.connect(Call("CA1")), board.connect(Call("CA2")):
        seen = []
        for call in board:
            seen.append(call.call_id)
            with board.connect(Call("CA3")):
                pass

    assert seen == ["CA1", "CA2"]
