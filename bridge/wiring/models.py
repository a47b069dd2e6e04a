"""
Which model the settings name.

Rule: a provider's room is entered only when it is the one: the others' libraries would keep
every worker from its calls for some tenths of a second.
"""

from __future__ import annotations

from urllib.parse import urlsplit

from bridge.config import Config, ProviderName
from bridge.errors import ConfigError
from bridge.ports.model import RealtimeModel

__all__ = ["model_of"]

OPENAI_MODEL = "gpt-realtime-2.1"
_AZURE_HOSTS = (".openai.azure.com", ".cognitiveservices.azure.com", ".services.ai.azure.com")


def model_of(config: Config) -> RealtimeModel:
    """Raises ConfigError where the provider lacks something."""
    match config.provider:
        case ProviderName.OPENAI:
            return _openai(config)
        case ProviderName.GEMINI:
            return _gemini(config)
        case ProviderName.OFFLINE:
            return _offline()


def _offline() -> RealtimeModel:
    from bridge.providers.offline.model import OfflineModel

    return OfflineModel()


def _openai(config: Config) -> RealtimeModel:
    from bridge.providers.openai.dialect import AZURE, OPENAI
    from bridge.providers.openai.model import OpenAIRealtimeModel

    key = config.openai.api_key
    assert key is not None  # Config has seen to it
    host = urlsplit(config.openai.base_url).hostname or ""
    azure = host.endswith(_AZURE_HOSTS)
    if azure and config.model is None:
        raise ConfigError("BRIDGE_MODEL: set it to the name of your deployment, for Azure needs it")
    return OpenAIRealtimeModel(
        key.reveal(),
        config.model or OPENAI_MODEL,
        base_url=config.openai.base_url,
        dialect=AZURE if azure else OPENAI,
    )


def _gemini(config: Config) -> RealtimeModel:
    from bridge.providers.gemini.model import DEFAULT_MODEL, GeminiLiveModel
    from bridge.wiring.google import credentials

    settings = config.gemini
    model = config.model or DEFAULT_MODEL
    if settings.vertex and settings.project:
        location = settings.location or "global"
        return GeminiLiveModel.vertex(settings.project, location, credentials(), model)
    assert settings.api_key is not None  # Config has seen to it
    return GeminiLiveModel(settings.api_key.reveal(), model, base_url=settings.base_url or None)
