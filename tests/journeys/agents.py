"""Agents for bridges that run as processes of their own."""

from __future__ import annotations

import time

from bridge.agent.agent import Agent
from bridge.agent.context import CallContext
from bridge.agent.hooks import CallStarted
from tests.journeys.stage import INSTRUCTIONS, QUICK

__all__ = ["bakery", "sleeper"]

bakery = Agent(INSTRUCTIONS, name="bakery", greeting="Hello, this is the bakery.", vad=QUICK)


@bakery.tool
async def opening_hours(day: str) -> str:
    """When the bakery is open."""
    return f"{day}: seven to six"


sleeper = Agent(INSTRUCTIONS, name="sleeper")


@sleeper.on("call_started")
async def sleeps_in_the_loop(event: CallStarted, call: CallContext) -> None:
    """What nobody should do."""
    time.sleep(60)
