"""When a worker looks for garbage."""

from __future__ import annotations

import asyncio
import gc
import weakref

from bridge.serving.garbage import OLD, Cleaning


class Circle:
    """Something that only the garbage collector can take away."""

    def __init__(self) -> None:
        self.itself = self


async def test_everything_is_looked_through_while_nobody_calls() -> None:
    """And not as long as somebody does."""
    busy = True
    gc.disable()  # so that nobody else comes for it
    try:
        with Cleaning(lambda: busy, interval=0.01):
            left = weakref.ref(Circle())
            await asyncio.sleep(0.05)
            stayed = left() is not None
            busy = False
            while left() is not None:
                await asyncio.sleep(0.01)
    finally:
        gc.enable()

    assert stayed


async def test_what_was_there_before_is_not_looked_at() -> None:
    """While it lasts; afterwards all is as it was."""
    usual, frozen = gc.get_threshold(), gc.get_freeze_count()
    with Cleaning(lambda: False):
        meanwhile = gc.get_freeze_count()
        threshold = gc.get_threshold()

    assert meanwhile > 1_000
    assert threshold[2] == OLD
    assert (gc.get_threshold(), gc.get_freeze_count()) == (usual, frozen)
