"""The agent of the bridges that die."""

from __future__ import annotations

from bridge.agent.agent import Agent
from bridge.ports.session import VadConfig

__all__ = ["numbers"]

numbers = Agent(
    "You answer each turn by its number.",
    name="numbers",
    greeting="Hello.",
    vad=VadConfig(silence_duration_ms=200),
)
