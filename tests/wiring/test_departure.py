"""Who leaves a stopping worker, when, and how fast."""

from __future__ import annotations

import asyncio
from itertools import pairwise

from bridge.wiring.departure import PACE, Departures, next_to_leave
from tests.call.test_switchboard import Call

LONG = 100.0


class Leaver(Call):
    """A call that is gone once it was handed over, and comes back if it `returns`."""

    def __init__(
        self, call_id: str, board: list[Leaver], *, busy: bool = False, returns: bool = False
    ) -> None:
        super().__init__(call_id)
        self.at_boundary = not busy
        self.handed_over: list[float] = []
        self._board = board
        self._returns = returns
        board.append(self)

    def hand_over(self) -> None:
        self.handed_over.append(asyncio.get_running_loop().time())
        if not self._returns:
            self._board.remove(self)


def test_nobody_is_cut_off_while_there_is_time() -> None:
    board: list[Leaver] = []
    Leaver("CA1", board, busy=True)
    idle = Leaver("CA2", board)

    assert next_to_leave(board, LONG) is idle


def test_nobody_leaves_who_is_busy() -> None:
    board: list[Leaver] = []
    Leaver("CA1", board, busy=True)

    assert next_to_leave(board, LONG) is None
    assert next_to_leave([], 0.0) is None


def test_when_time_is_short_the_busy_ones_leave_too() -> None:
    """As early as the pace demands, and still after those that are not busy."""
    board: list[Leaver] = []
    busy = [Leaver(f"CA{number}", board, busy=True) for number in range(10)]

    assert next_to_leave(board, 10 / PACE + 0.01) is None
    assert next_to_leave(board, 10 / PACE) is busy[0]

    idle = Leaver("CA10", board)

    assert next_to_leave(board, 0.0) is idle


async def test_who_would_not_come_back_is_not_let_go_of() -> None:
    """Its call is over with its leg: it may last until the worker is gone."""
    board: list[Leaver] = []
    stays, leaves = Leaver("sip-1", board), Leaver("CA1", board)
    stays.returns = False
    departures = Departures(lambda: board, asyncio.get_running_loop().time)
    await departures.run(0.1)

    assert board == [stays]
    assert leaves.handed_over
    assert not stays.handed_over


async def test_they_leave_one_after_the_other() -> None:
    board: list[Leaver] = []
    leavers = [Leaver(f"CA{number}", board) for number in range(5)]

    await Departures(lambda: board, asyncio.get_running_loop().time).run(0.6)

    left = sorted(at for leaver in leavers for at in leaver.handed_over)
    gaps = [later - earlier for earlier, later in pairwise(left)]
    assert len(left) == 5
    assert min(gaps) >= 0.9 / PACE


async def test_who_comes_back_stays() -> None:
    board: list[Leaver] = []
    returning = Leaver("CA1", board, returns=True)

    await Departures(lambda: board, asyncio.get_running_loop().time).run(0.3)

    assert len(returning.handed_over) == 1
    assert board == [returning]


async def test_the_busy_ones_leave_at_the_end() -> None:
    board: list[Leaver] = []
    busy = Leaver("CA1", board, busy=True)
    began = asyncio.get_running_loop().time()

    await Departures(lambda: board, asyncio.get_running_loop().time).run(0.4)

    assert len(busy.handed_over) == 1
    assert busy.handed_over[0] - began > 0.3


async def test_without_any_time_they_leave_all_the_same() -> None:
    board: list[Leaver] = []
    leavers = [Leaver(f"CA{number}", board, busy=True) for number in range(3)]

    await Departures(lambda: board, asyncio.get_running_loop().time).run(0.0)

    assert [len(leaver.handed_over) for leaver in leavers] == [1, 1, 1]
