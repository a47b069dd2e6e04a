"""A leg on which nothing is heard any more ends, whatever its socket says."""

from __future__ import annotations

import asyncio

from bridge.errors import Ending, Fault
from bridge.ports import leg
from bridge.wiring.watched import WatchedLeg
from tests.wiring.parts import FRAME, FakeLeg, until


async def test_silence_on_the_line_is_a_lost_leg() -> None:
    """Started counts for nothing: a carrier sends audio from then on."""
    inner, events = FakeLeg(), list[leg.LegEvent]()
    with WatchedLeg(inner, silent_seconds=0.05) as watched:
        watched.attach(events.append)
        inner.starts()
        await until(lambda: len(events) > 1)

    assert isinstance(events[-1], leg.Ended)
    assert events[-1].lost
    assert (events[-1].ending.fault, events[-1].ending.reason) == (Fault.CARRIER, "silent")


async def test_audio_keeps_it_alive() -> None:
    """However little of it comes."""
    inner, events = FakeLeg(), list[leg.LegEvent]()
    with WatchedLeg(inner, silent_seconds=0.5) as watched:
        watched.attach(events.append)
        for _ in range(8):
            inner.happens(leg.Heard(FRAME))
            await asyncio.sleep(0.1)

    assert events == [leg.Heard(FRAME)] * 8


async def test_audio_may_be_had_by_itself() -> None:
    """Until the end of the leg, and it keeps the leg alive likewise."""
    inner, events, heard = FakeLeg(), list[leg.LegEvent](), list[bytes]()
    with WatchedLeg(inner, silent_seconds=0.2) as watched:
        watched.attach(events.append, heard.append)
        for _ in range(4):
            inner.happens(leg.Heard(FRAME))
            await asyncio.sleep(0.1)
        inner.hangs_up()
        inner.happens(leg.Heard(FRAME))

    assert heard == [FRAME] * 4
    assert events == [leg.Ended(Ending(Fault.CALLER, "hangup"))]


async def test_ended_comes_once() -> None:
    """Neither silence after the end nor an end after the silence is told."""
    inner, events = FakeLeg(), list[leg.LegEvent]()
    with WatchedLeg(inner, silent_seconds=0.02) as watched:
        watched.attach(events.append)
        inner.hangs_up()
        await asyncio.sleep(0.1)
        inner.is_lost()

    assert events == [leg.Ended(Ending(Fault.CALLER, "hangup"))]


async def test_commands_pass() -> None:
    inner = FakeLeg()
    with WatchedLeg(inner) as watched:
        watched.do(leg.Clear())

    assert inner.done == [leg.Clear()]


async def test_who_has_left_is_not_watched() -> None:
    inner, events = FakeLeg(), list[leg.LegEvent]()
    with WatchedLeg(inner, silent_seconds=0.02) as watched:
        watched.attach(events.append)
    await asyncio.sleep(0.1)

    assert events == []
