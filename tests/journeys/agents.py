"""Agents for bridges that run as processes of their own."""

from __future__ import annotations

from bridge.agent.agent import Agent
from tests.journeys.stage import INSTRUCTIONS, QUICK

__all__ = ["bakery"]

bakery = Agent(INSTRUCTIONS, name="bakery", greeting="Hello, this is the bakery.", vad=QUICK)


@bakery.tool
async def opening_hours(day: str) -> str:
    """When the bakery is open."""
    return f"{day}: seven to six"
