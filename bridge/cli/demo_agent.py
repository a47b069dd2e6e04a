"""The agent of `bridge demo`: a bakery that knows when it is open."""

from __future__ import annotations

from bridge.agent.agent import Agent

__all__ = ["bakery"]

_HOURS = {"Saturday": "open from seven to twelve", "Sunday": "closed all day"}


def bakery() -> Agent:
    """A new agent, for one demonstration."""
    agent = Agent(
        instructions="You answer the telephone of a bakery. Be brief and friendly.",
        name="bakery",
        greeting="Hello, this is the bridge's offline agent. Ask me something or press a key.",
    )

    @agent.tool
    async def opening_hours(day: str) -> str:
        """When the bakery is open on a day of the week."""
        return f"On {day} we are {_HOURS.get(day, 'open from seven to six')}."

    return agent
