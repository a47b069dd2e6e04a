"""An agent whose tools change the world: a file, named by HOTEL_BOOKS, into which they write."""

from __future__ import annotations

import asyncio
import os
from pathlib import Path

from bridge.agent.agent import Agent
from bridge.agent.context import CallContext
from tests.journeys.stage import QUICK

__all__ = ["agent"]

agent = Agent("You answer the telephone of a hotel.", name="hotel", vad=QUICK)


@agent.tool
async def price(call: CallContext) -> str:
    """What a room costs."""
    _write("price", call)
    return "ninety euros"


@agent.tool(idempotent=True, timeout=30)
async def book(call: CallContext) -> str:
    """Book a room. It is slow, unless it has been done already."""
    if _write("book", call) == 1:
        await asyncio.sleep(30)
    return f"booked as {call.idempotency_key}"


@agent.tool(timeout=30)
async def charge(call: CallContext) -> str:
    """Charge the guest's card. That is slow."""
    _write("charge", call)
    await asyncio.sleep(30)
    return "charged"


def _write(what: str, call: CallContext) -> int:
    """Write a line, as one who may be killed right after it; returns how often it is there."""
    books = Path(os.environ["HOTEL_BOOKS"])
    line = f"{what} {call.idempotency_key}\n"
    with books.open("a") as file:
        file.write(line)
    return books.read_text().splitlines(keepends=True).count(line)
