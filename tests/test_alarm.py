"""The clock of the event loop, as a machine with a deadline needs it."""

from __future__ import annotations

import asyncio
import weakref
from collections.abc import Callable
from typing import Any

import pytest

from bridge.alarm import Alarm


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


async def test_it_rings_after_so_long() -> None:
    loop = asyncio.get_running_loop()
    done = asyncio.Event()
    began = loop.time()
    Alarm(done.set).after(0.01)
    await done.wait()

    assert loop.time() - began >= 0.01


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


async def test_to_put_it_off_sets_no_timer(monkeypatch: pytest.MonkeyPatch) -> None:
    """The one that is set already looks whether the time has come."""
    rang: list[float] = []
    loop = asyncio.get_running_loop()
    timers = count_timers(monkeypatch)
    alarm = Alarm(lambda: rang.append(loop.time()))
    began = loop.time()
    alarm.set(began + 0.02)
    for later in range(100):
        alarm.set(began + 0.03 + later / 10_000)
    while not rang:
        await asyncio.sleep(0.005)

    assert rang[0] >= began + 0.039
    assert len(timers) == 2


async def test_a_loop_that_calls_early_is_not_asked_without_end(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """It would call at once, and early again, and all that a processor can do were gone."""
    rang: list[float] = []
    loop = asyncio.get_running_loop()
    timers = count_timers(monkeypatch, early=0.0008)
    at = loop.time() + 0.02
    Alarm(lambda: rang.append(loop.time())).set(at)
    while not rang:
        await asyncio.sleep(0.005)

    assert rang[0] >= at
    assert len(timers) < 40


async def test_silenced_it_leaves_nothing_behind(monkeypatch: pytest.MonkeyPatch) -> None:
    """No timer that would keep its owner in memory."""
    timers = count_timers(monkeypatch)
    alarm = Alarm(lambda: None)
    alarm.set(asyncio.get_running_loop().time() + 60.0)
    alarm.set(None)

    assert [timer.cancelled() for timer in timers] == [True]


async def test_stopped_it_lets_go_of_whom_it_would_call() -> None:
    """And calls nobody, even if it is set again."""
    rang: list[str] = []

    class Owner:
        def __init__(self) -> None:
            self.alarm = Alarm(self.ring)

        def ring(self) -> None:
            rang.append("owner")

    owner = Owner()
    alarm, gone = owner.alarm, weakref.ref(owner)
    alarm.set(asyncio.get_running_loop().time())
    alarm.stop()
    del owner
    alarm.set(asyncio.get_running_loop().time())
    await asyncio.sleep(0.01)

    assert gone() is None
    assert rang == []


def count_timers(monkeypatch: pytest.MonkeyPatch, early: float = 0.0) -> list[asyncio.TimerHandle]:
    """The alarms' timers that are set from now on, on a loop that calls so many seconds early."""
    loop = asyncio.get_running_loop()
    honest = loop.call_later
    timers: list[asyncio.TimerHandle] = []

    def call_later(
        delay: float, callback: Callable[..., object], *args: Any, **options: Any
    ) -> asyncio.TimerHandle:
        if not isinstance(getattr(callback, "__self__", None), Alarm):
            return honest(delay, callback, *args, **options)
        timers.append(honest(max(delay - early, 0.0), callback))
        return timers[-1]

    monkeypatch.setattr(loop, "call_later", call_later)
    return timers
