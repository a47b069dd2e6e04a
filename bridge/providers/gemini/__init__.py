"""Gemini Live behind the door RealtimeModel, by API key or through Vertex AI."""

from __future__ import annotations

from bridge.providers.gemini.model import GeminiLiveModel
from bridge.providers.gemini.session import GeminiSession

__all__ = ["GeminiLiveModel", "GeminiSession"]
