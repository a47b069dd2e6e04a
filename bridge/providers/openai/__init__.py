"""OpenAI's Realtime API and those who speak its language, behind the door RealtimeModel."""

from __future__ import annotations

from bridge.providers.openai.dialect import AZURE, OPENAI, Dialect
from bridge.providers.openai.model import OpenAIRealtimeModel
from bridge.providers.openai.session import OpenAISession

__all__ = ["AZURE", "OPENAI", "Dialect", "OpenAIRealtimeModel", "OpenAISession"]
