"""A leg on which nothing is heard any more ends, whatever its socket says."""

from __future__ import annotations

import asyncio

from bridge.errors import Fault
from bridge.ports import leg
from bridge.wiring.lifesigns import LOOKS, LifeSigns
from tests.wiring.parts import until


async def test_silence_on_the_line_is_a_lost_leg() -> None:
    """It is told once."""
    told: list[leg.Ended] = []
    with LifeSigns(lambda: 0, told.append, silent_seconds=0.05):
        await until(lambda: told)
        await asyncio.sleep(0.1)

    [ended] = told
    assert ended.lost
    assert (ended.ending.fault, ended.ending.reason) == (Fault.CARRIER, "silent")


async def test_audio_keeps_it_alive() -> None:
    """However little of it comes; and when it stops, the silence counts from there."""
    told: list[leg.Ended] = []
    looks = 0

    def frames() -> int:
        nonlocal looks
        looks += 1
        return min(looks // 2, 3 * LOOKS)  # one frame for two looks

    with LifeSigns(frames, told.append, silent_seconds=0.02):
        await until(lambda: told)

    assert looks == 6 * LOOKS + LOOKS


async def test_who_has_left_is_not_watched() -> None:
    told: list[leg.Ended] = []
    with LifeSigns(lambda: 0, told.append, silent_seconds=0.02):
        pass
    await asyncio.sleep(0.1)

    assert told == []
