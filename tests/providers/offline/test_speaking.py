from __future__ import annotations

import asyncio

import pytest

from bridge.audio.formats import ULAW_8K
from bridge.ports import server_events as event
from bridge.ports.server_events import ResponseStatus, ServerEvent
from bridge.providers.offline.performance import Performance
from bridge.providers.offline.speaking import Speaking
from bridge.providers.offline.voice import Piece


class Ear:
    """Remembers what it was told, and may do something at the first piece of audio."""

    def __init__(self) -> None:
        self.told: list[ServerEvent] = []
        self.speaking = Speaking(self.hear, 0.0)
        self.cancels = False
        self.done = asyncio.Event()

    def hear(self, happened: ServerEvent) -> None:
        self.told.append(happened)
        if isinstance(happened, event.AudioDelta) and self.cancels:
            self.speaking.cancel("turn_detected")
        if isinstance(happened, event.ResponseDone):
            self.done.set()

    @property
    def kinds(self) -> list[type[ServerEvent]]:
        return [type(happened) for happened in self.told]


def performance(number: int = 1) -> Performance:
    pieces = (Piece("Hello.", b"h" * 2400),)
    return Performance(f"response-{number}", f"item-{number}", pieces, (), ULAW_8K)


async def test_nothing_is_told_in_the_same_loop_turn() -> None:
    """Whoever begins a response is not called back from within."""
    ear = Ear()

    ear.speaking.begin(performance())
    told, active = list(ear.told), ear.speaking.active
    await ear.done.wait()

    assert (told, active) == ([], performance())
    assert ear.speaking.active is None
    assert ear.speaking.latest == performance()
    assert ear.kinds.count(event.AudioDelta) == 3


async def test_a_listener_may_cancel_in_the_middle() -> None:
    """Then the end is told at once, and nothing after it."""
    ear = Ear()
    ear.cancels = True
    ear.speaking.begin(performance())
    await ear.done.wait()
    await asyncio.sleep(0)

    assert ear.told[-2:] == [
        event.Interrupted("response-1"),
        event.ResponseDone("response-1", ResponseStatus.CANCELLED, "turn_detected"),
    ]
    assert ear.kinds.count(event.AudioDelta) == 1
    assert not ear.speaking.cancel("again")


async def test_what_was_not_created_leaves_no_trace() -> None:
    """It is cancelled all the same."""
    ear = Ear()
    ear.speaking.begin(performance())

    cancelled = ear.speaking.cancel("turn_detected")
    await asyncio.sleep(0)

    assert cancelled
    assert ear.told == []


async def test_stopping_is_silent() -> None:
    """The session is over, and nobody is left to be told."""
    ear = Ear()
    ear.speaking.begin(performance())
    await asyncio.sleep(0)
    told = len(ear.told)

    ear.speaking.stop()
    await asyncio.sleep(0)

    assert len(ear.told) == told > 0


async def test_it_knows_how_much_was_sent_of_each_item() -> None:
    """Of the last fifty; those before are forgotten."""
    ear = Ear()
    for number in range(51):
        ear.done.clear()
        ear.speaking.begin(performance(number))
        await ear.done.wait()

    assert ear.speaking.of("item-0") is None
    newest = ear.speaking.of("item-50")
    assert newest is not None
    assert newest[0] == performance(50)
    assert newest[1] == pytest.approx(300.0)
