"""
Gemini Live's words and ours (BidiGenerateContent, Developer API and Vertex AI).

Rule: nothing here waits, reads a clock or touches a socket. Google's field names, JSON
and base64 stop in this package.
"""

from __future__ import annotations

from bridge.wire.gemini.capabilities import Capabilities, capabilities_of
from bridge.wire.gemini.content import write_history
from bridge.wire.gemini.setup import VOICES, write_context_update, write_setup
from bridge.wire.gemini.translator import GeminiTranslator

__all__ = [
    "VOICES",
    "Capabilities",
    "GeminiTranslator",
    "capabilities_of",
    "write_context_update",
    "write_history",
    "write_setup",
]
