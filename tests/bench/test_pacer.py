"""Who is called when."""

from __future__ import annotations

import asyncio

from bridge.bench.pacer import Pacer, Wheel


def test_each_is_called_once_a_period() -> None:
    """However many there are."""
    wheel = Wheel(0.02)
    heard: list[int] = []
    for number in range(25):
        wheel.add(lambda number=number: heard.append(number), now=1.0)  # type: ignore[misc]

    for step in range(20):
        for beat in wheel.due(1.0 + step / 1000):
            beat()

    assert sorted(heard) == list(range(25))


def test_members_are_spread_over_a_period() -> None:
    """As many as there are slots have one each."""
    wheel = Wheel(0.02)
    for _ in range(10):
        wheel.add(lambda: None, now=0.0)

    due = [len(wheel.due(step * 0.002)) for step in range(10)]

    assert due == [1] * 10


def test_missed_turns_are_made_up_for() -> None:
    """And it is known how late they were."""
    wheel = Wheel(0.02)
    wheel.add(lambda: None, now=0.0)

    due = wheel.due(0.041)

    assert len(due) == 3
    assert [round(late) for late in wheel.late_ms] == [41, 21, 1]


def test_an_empty_wheel_rests() -> None:
    """Nobody there, nothing to wait for."""
    wheel = Wheel(0.02)
    beat = lambda: None  # noqa: E731
    wheel.add(beat, now=0.0)

    wheel.remove(beat)
    wheel.remove(beat)

    assert wheel.deadline is None
    assert wheel.due(10.0) == []


async def test_the_loop_turns_it() -> None:
    """Until the last one is let go of."""
    pacer = Pacer(0.02)
    done = asyncio.Event()
    calls = 0

    def beat() -> None:
        nonlocal calls
        calls += 1
        if calls == 3:
            pacer.remove(beat)
            done.set()

    pacer.add(beat)
    await done.wait()

    assert calls == 3
    assert pacer.wheel.deadline is None
