"""Agents for small bridges, and the carrier that calls them."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from bridge.simulator.carrier import SimulatedCarrier
from bridge.wire.twilio import frames
from tests.simulator.servers import ORIGIN, TOKEN, SmallBridge, Talk
from tests.simulator.sounds import tone

__all__ = ["carrier", "closing", "greeting", "listening"]


def carrier(bridge: SmallBridge, **settings: Any) -> SimulatedCarrier:
    """A carrier whose number leads to /voice of the bridge."""
    usual = SimulatedCarrier(
        f"{ORIGIN}/voice", auth_token=TOKEN, origins=bridge.origins, words_per_second=1_000
    )
    return replace(usual, **settings)


async def listening(talk: Talk) -> None:
    """An agent that says nothing."""
    await talk.to_the_end()


async def greeting(talk: Talk) -> None:
    """An agent that greets with half a second of sound."""
    await talk.until(frames.Start)
    await talk.say(tone(0.5))
    await talk.to_the_end()


async def closing(talk: Talk) -> None:
    """An agent that ends its stream at once."""
    await talk.until(frames.Start)
    await talk.socket.close()
