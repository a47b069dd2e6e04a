"""One timer wakes everybody at the time they named."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from bridge.carriers.sip.clock import Clock, Sleeper
from tests.carriers.sip.phone import until


async def test_those_who_are_due_are_woken_in_order() -> None:
    """Whoever named the earlier time first, and all by one clock."""
    clock, early, late = Clock(), list[float](), list[float]()
    now = clock.time()
    clock.set(Sleeper(_noting(late)), now + 0.02)
    clock.set(Sleeper(_noting(early)), now + 0.01)

    await until(lambda: late)

    assert early
    assert early[0] <= late[0]


async def test_no_delay_adds_up() -> None:
    """Whoever names times and not pauses is woken as often as there are times."""
    clock, times = Clock(), list[float]()
    begun = clock.time()

    def wake(now: float) -> float | None:
        times.append(now)
        return begun + 0.005 * len(times) if len(times) < 20 else None

    clock.set(Sleeper(wake), begun)
    await until(lambda: len(times) == 20)

    assert all(now >= begun + 0.005 * number for number, now in enumerate(times))
    assert not clock._heap


async def test_a_time_can_be_set_anew() -> None:
    """The one before counts for nothing, and None means never."""
    clock, woken = Clock(), list[float]()
    one, other = Sleeper(_noting(woken)), Sleeper(_noting(woken))
    begun = clock.time()
    clock.set(one, begun + 0.01)
    clock.set(one, begun + 0.03)
    clock.set(other, begun + 0.01)
    clock.set(other, None)

    await until(lambda: woken)
    await asyncio.sleep(0.01)

    assert len(woken) == 1
    assert woken[0] >= begun + 0.03


async def test_one_fault_does_not_stop_the_others() -> None:
    """It is raised, and the clock goes on."""
    clock, woken, faults = Clock(), list[float](), list[object]()
    asyncio.get_running_loop().set_exception_handler(lambda _, context: faults.append(context))

    def fail(now: float) -> float | None:
        raise ZeroDivisionError

    now = clock.time()
    clock.set(Sleeper(fail), now)
    clock.set(Sleeper(_noting(woken)), now + 0.005)
    await until(lambda: woken)

    assert len(faults) == 1


async def test_a_closed_clock_wakes_nobody() -> None:
    clock, woken = Clock(), list[float]()
    clock.set(Sleeper(_noting(woken)), clock.time() + 0.005)
    clock.close()
    await asyncio.sleep(0.02)

    assert woken == []


def _noting(woken: list[float]) -> Callable[[float], float | None]:
    def wake(now: float) -> float | None:
        woken.append(now)
        return None

    return wake
