"""The clock of the event loop, as a machine with a deadline needs it."""

from __future__ import annotations

import asyncio

from bridge.runner.alarm import Alarm


async def test_it_rings_at_its_time() -> None:
    """Once, and not before."""
    rang: list[float] = []
    loop = asyncio.get_running_loop()
    done = asyncio.Event()

    def ring() -> None:
        rang.append(loop.time())
        done.set()

    at = loop.time() + 0.01
    Alarm(ring).set(at)
    await done.wait()
    await asyncio.sleep(0.02)

    assert len(rang) == 1
    assert rang[0] >= at - 0.001


async def test_it_can_be_set_anew_when_it_rings() -> None:
    """Even to the same time, which has come by then."""
    rings = 0
    loop = asyncio.get_running_loop()
    at = loop.time()
    done = asyncio.Event()

    def ring() -> None:
        nonlocal rings
        rings += 1
        if rings < 3:
            alarm.set(at)
        else:
            done.set()

    alarm = Alarm(ring)
    alarm.set(at)
    await done.wait()

    assert rings == 3


async def test_a_new_time_replaces_the_old_one() -> None:
    """And none at all silences it."""
    rang: list[str] = []
    loop = asyncio.get_running_loop()
    moved = Alarm(lambda: rang.append("moved"))
    silenced = Alarm(lambda: rang.append("silenced"))
    for alarm in (moved, silenced):
        alarm.set(loop.time())
    moved.set(loop.time() + 60.0)
    silenced.set(None)
    await asyncio.sleep(0.01)
    moved.set(None)

    assert rang == []
