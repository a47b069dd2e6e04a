"""Who is seldom asked is made when that happens."""

from __future__ import annotations

import asyncio
import threading

from bridge.ports.exchange import Progress
from bridge.wiring.later import LaterExchange


class Switch:
    """Remembers what it was asked."""

    def __init__(self) -> None:
        self.asked: list[str] = []
        self.thread = threading.current_thread()

    async def progress(self, call_id: str) -> Progress:
        self.asked.append(call_id)
        return Progress.TALKING

    async def ask_again(self, call_id: str, path: str) -> bool:
        self.asked.append(f"{call_id}{path}")
        return True

    async def close(self) -> None:
        self.asked.append("close")


class Door:
    """Behind it there is a switch for each time that it was opened."""

    def __init__(self) -> None:
        self.made: list[Switch] = []

    def __call__(self) -> Switch:
        self.made.append(Switch())
        return self.made[-1]


async def test_nobody_is_made_for_nothing() -> None:
    door = Door()
    exchange = LaterExchange(door)

    await exchange.close()

    assert door.made == []


async def test_whoever_is_asked_first_is_asked_from_then_on() -> None:
    """Made once, where it keeps no audio waiting, and closed at the end."""
    door = Door()
    exchange = LaterExchange(door)

    talking, asked = await asyncio.gather(exchange.progress("CA1"), exchange.ask_again("CA2", "/a"))
    await exchange.close()

    assert talking is Progress.TALKING
    assert asked
    assert [switch.asked for switch in door.made] == [["CA1", "CA2/a", "close"]]
    assert door.made[0].thread is not threading.main_thread()
