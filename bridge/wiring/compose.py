"""From settings and an agent to a service."""

from __future__ import annotations

import asyncio

from bridge.agent.agent import Agent
from bridge.audio.formats import ULAW_8K
from bridge.config import Config
from bridge.ports.model import RealtimeModel
from bridge.ports.store import CallStore
from bridge.store.memory import MemoryStore
from bridge.wiring.models import model_of
from bridge.wiring.service import Service

__all__ = ["compose"]


def compose(
    config: Config,
    agent: Agent | None = None,
    *,
    model: RealtimeModel | None = None,
    store: CallStore | None = None,
) -> Service:
    """
    A service, inside a running loop. What is not given, the settings decide.

    Raises ConfigError where agent, model and settings do not fit together.
    """
    loop = asyncio.get_running_loop()
    return Service(
        config,
        agent or Agent.from_config(config),
        model or model_of(config),
        store or MemoryStore(loop.time),
        ULAW_8K,
    )
