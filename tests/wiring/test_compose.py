"""From settings and an agent to a service."""

from __future__ import annotations

import pytest

from bridge.agent.agent import Agent
from bridge.audio.formats import ULAW_8K
from bridge.config import Config
from bridge.errors import ConfigError
from bridge.providers.offline.model import OfflineModel
from bridge.store.memory import MemoryStore
from bridge.wiring.compose import compose, plan
from tests.fakes.model import FakeModel


def test_what_is_not_given_the_settings_decide() -> None:
    """No loop is needed for that."""
    made = plan(Config.from_environ({"BRIDGE_INSTRUCTIONS": "Sell bread."}))

    assert isinstance(made.model, OfflineModel)
    assert made.agent.instructions == "Sell bread."
    assert made.path.leg == ULAW_8K


def test_what_is_given_is_taken() -> None:
    agent, model = Agent("Be kind."), FakeModel()
    made = plan(Config.from_environ({}), agent, model)

    assert made.agent is agent
    assert made.model is model


def test_what_does_not_fit_together_is_named_at_once() -> None:
    """Before a server begins."""
    with pytest.raises(ConfigError, match="BRIDGE_AUDIO"):
        plan(Config.from_environ({"GEMINI_API_KEY": "k", "BRIDGE_AUDIO": "g711"}))


async def test_a_service_stands_on_its_own() -> None:
    config = Config.from_environ(
        {"BRIDGE_MAX_CALLS": "7", "BRIDGE_FALLBACK_NUMBER": "+14155550100"}
    )
    service = compose(plan(config, Agent("Be kind.", greeting="Hello."), FakeModel()))

    assert isinstance(service.store, MemoryStore)
    assert service.switchboard.max_calls == 7
    assert service.rules.greeting == "Hello."
    assert service.rules.fallback == "+14155550100"
    await service.close()
