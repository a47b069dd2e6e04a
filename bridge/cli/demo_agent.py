"""The agent of `bridge demo`: a bakery that knows when it is open."""

from __future__ import annotations

from collections.abc import Callable

from bridge.agent.agent import Agent
from bridge.agent.context import CallContext
from bridge.agent.hooks import AgentSaid, CallerSaid, Interrupted, ToolCalled

__all__ = ["bakery", "tell"]

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


def tell(agent: Agent, say: Callable[[str], None]) -> Agent:
    """Let `say` have a line about whatever happens in the agent's calls. The same agent."""

    @agent.on("agent_said")
    async def agent_said(event: AgentSaid, call: CallContext) -> None:
        say(f'agent begins: "{event.text}"')

    @agent.on("caller_said")
    async def caller_said(event: CallerSaid, call: CallContext) -> None:
        say(f"caller said: {event.text}")

    @agent.on("tool_called")
    async def tool_called(event: ToolCalled, call: CallContext) -> None:
        say(f"tool {event.name} {event.outcome} in {event.seconds * 1000:.1f} ms")

    @agent.on("interrupted")
    async def interrupted(event: Interrupted, call: CallContext) -> None:
        say(f"interrupted: {event.heard_ms} ms of the answer were heard")

    return agent
