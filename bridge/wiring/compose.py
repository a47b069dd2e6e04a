"""From settings and an agent to a service."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass

from bridge.agent.agent import Agent
from bridge.audio.formats import ULAW_8K
from bridge.config import Config
from bridge.ports.model import RealtimeModel
from bridge.ports.store import CallStore
from bridge.telemetry.metrics import Metrics
from bridge.wiring.formats import AudioPath, negotiate
from bridge.wiring.models import model_of
from bridge.wiring.service import Service
from bridge.wiring.stores import sheltered_store_of
from bridge.wiring.watch import watchman_of

__all__ = ["Plan", "compose", "plan"]


@dataclass(frozen=True, slots=True)
class Plan:
    """What a service will be made of; needs no running loop."""

    config: Config
    agent: Agent
    model: RealtimeModel
    path: AudioPath


def plan(config: Config, agent: Agent | None = None, model: RealtimeModel | None = None) -> Plan:
    """
    What is not given, the settings decide.

    Raises ConfigError where agent, model and settings do not fit together.
    """
    model = model or model_of(config)
    path = negotiate(model, ULAW_8K, config.audio, config.append_ms)
    return Plan(config, agent or Agent.from_config(config), model, path)


def compose(plan: Plan, store: CallStore | None = None) -> Service:
    """The service, inside a running loop."""
    metrics = Metrics()
    store = store or sheltered_store_of(plan.config, asyncio.get_running_loop().time, metrics)
    service = Service(plan.config, plan.agent, plan.model, store, plan.path, metrics=metrics)
    service.watchman = watchman_of(service)
    return service
