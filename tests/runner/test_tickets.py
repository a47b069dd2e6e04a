"""Numbers for those who asked for an update."""

from __future__ import annotations

import asyncio

import pytest

from bridge.errors import RealtimeError, ServerError
from bridge.runner.tickets import Tickets
from bridge.runner.vocabulary import UpdateResult


async def test_everybody_is_told_what_became_of_their_own() -> None:
    """Each number is another."""
    tickets = Tickets()
    one, other = tickets.draw(), tickets.draw()
    tickets.settle([one], UpdateResult.APPLIED)
    tickets.settle([other], UpdateResult.QUEUED)

    assert one != other
    assert await tickets.result(one) is UpdateResult.APPLIED
    assert await tickets.result(other) is UpdateResult.QUEUED


async def test_a_rejection_is_raised() -> None:
    """With its reason, or with a plain one."""
    tickets = Tickets()
    one, other = tickets.draw(), tickets.draw()
    tickets.settle([one], UpdateResult.REJECTED, ServerError("no", "never"))
    tickets.settle([other], UpdateResult.REJECTED)

    with pytest.raises(ServerError, match="never"):
        await tickets.result(one)
    with pytest.raises(RealtimeError, match="rejected"):
        await tickets.result(other)


async def test_what_is_settled_twice_was_settled_the_first_time() -> None:
    """Queued first, applied later: who asked went home after the first."""
    tickets = Tickets()
    one = tickets.draw()
    tickets.settle([one], UpdateResult.QUEUED)
    tickets.settle([one, 99], UpdateResult.APPLIED)

    assert await tickets.result(one) is UpdateResult.QUEUED
    tickets.settle([one], UpdateResult.APPLIED)


async def test_whoever_stops_waiting_is_forgotten() -> None:
    """Nobody trips over it later."""
    tickets = Tickets()
    one = tickets.draw()
    waiting = asyncio.create_task(tickets.result(one))
    await asyncio.sleep(0)
    waiting.cancel()
    await asyncio.gather(waiting, return_exceptions=True)

    tickets.settle([one], UpdateResult.REJECTED)
    tickets.reject_all(RealtimeError("over"))

    assert waiting.cancelled()


async def test_at_the_end_nobody_is_left_waiting() -> None:
    """All are told the same."""
    tickets = Tickets()
    waiting = [asyncio.create_task(tickets.result(tickets.draw())) for _ in range(3)]
    await asyncio.sleep(0)
    tickets.reject_all(RealtimeError("over"))

    results = await asyncio.gather(*waiting, return_exceptions=True)

    assert [str(result) for result in results] == ["over"] * 3
