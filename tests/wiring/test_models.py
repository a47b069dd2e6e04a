"""The settings name a provider, and that is who is dialled."""

from __future__ import annotations

import pytest

from bridge.config import Config
from bridge.errors import ConfigError
from bridge.providers.gemini.model import GeminiLiveModel
from bridge.providers.offline.model import OfflineModel
from bridge.providers.openai.model import OpenAIRealtimeModel
from bridge.wiring.models import OPENAI_MODEL, model_of


def named(**settings: str) -> Config:
    return Config.from_environ(settings)


def test_without_any_key_the_agent_is_offline() -> None:
    assert isinstance(model_of(named()), OfflineModel)


def test_openai_by_its_key() -> None:
    model = model_of(named(OPENAI_API_KEY="k"))

    assert isinstance(model, OpenAIRealtimeModel)
    assert (model.provider, model.model_id) == ("openai", OPENAI_MODEL)


def test_a_model_of_ones_own_choice() -> None:
    assert model_of(named(OPENAI_API_KEY="k", BRIDGE_MODEL="gpt-next")).model_id == "gpt-next"
    assert model_of(named(GEMINI_API_KEY="k", BRIDGE_MODEL="gemini-n")).model_id == "gemini-n"


def test_an_azure_host_speaks_azures_dialect() -> None:
    """There a deployment has a name of its own, and only its owner knows it."""
    host = "https://mine.openai.azure.com"
    model = model_of(named(OPENAI_API_KEY="k", OPENAI_BASE_URL=host, BRIDGE_MODEL="mine"))

    assert model.provider == "azure"
    with pytest.raises(ConfigError, match="BRIDGE_MODEL"):
        model_of(named(OPENAI_API_KEY="k", OPENAI_BASE_URL=host))


def test_gemini_by_its_key() -> None:
    model = model_of(named(GEMINI_API_KEY="secret-key"))

    assert isinstance(model, GeminiLiveModel)
    assert "secret-key" not in repr(model)


def test_gemini_on_vertex_by_its_project() -> None:
    settings = {"GOOGLE_GENAI_USE_VERTEXAI": "true", "GOOGLE_CLOUD_PROJECT": "bakery"}
    model = model_of(named(**settings, GOOGLE_CLOUD_LOCATION="europe-west4"))

    assert isinstance(model, GeminiLiveModel)
    assert "europe-west4" in repr(model)
