"""How late the event loop is: what blocks it delays the audio of every call."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

__all__ = ["watch"]

INTERVAL = 0.2  # seconds; each time the worker is woken, which is most of what an idle one costs


async def watch(observe: Callable[[float], None], interval: float = INTERVAL) -> None:
    """Tell `observe`, every `interval`, how many seconds late the loop was. Until cancelled."""
    loop = asyncio.get_running_loop()
    while True:
        due = loop.time() + interval
        await asyncio.sleep(interval)
        observe(max(0.0, loop.time() - due))
