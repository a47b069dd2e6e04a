"""
A telephony bridge: callers on one side, a realtime speech model on the other.

An agent is a few lines (`Agent`), `bridge serve module:agent` answers the telephone. What
stands beneath can be used alone: `RealtimeRunner` keeps a conversation with a
`RealtimeModel` alive, without any telephony.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

from bridge.agent.agent import Agent
from bridge.agent.context import CallContext
from bridge.agent.tools import Tool, tool
from bridge.audio.formats import AudioChunk, AudioEncoding, AudioFormat
from bridge.config import Config
from bridge.errors import BridgeError, ConfigError, RealtimeError, ServerError, ToolArgumentsError
from bridge.ports.client_events import ClientEvent
from bridge.ports.model import (
    Applied,
    ContextMutationOutcome,
    RealtimeModel,
    RealtimeSession,
    RequiresResumption,
    Resumption,
    ToolCall,
    ToolResponse,
)
from bridge.ports.runner_events import RunnerEvent, RunOutcome
from bridge.ports.server_events import ServerEvent
from bridge.ports.session import (
    RealtimeConfig,
    SessionUpdateConfig,
    ToolDefinition,
    TranscriptionConfig,
    VadConfig,
    VadMode,
)
from bridge.ports.tools import ToolHandler
from bridge.runner.builder import RealtimeRunnerBuilder
from bridge.runner.config import RunnerConfig
from bridge.runner.function_tool import FunctionTool
from bridge.runner.handler import EventHandler
from bridge.runner.runner import RealtimeRunner
from bridge.runner.state import RunnerState
from bridge.runner.vocabulary import UpdateResult
from bridge.web.app import Bridge

if TYPE_CHECKING:
    from bridge.providers.gemini.model import GeminiLiveModel
    from bridge.providers.offline.model import OfflineModel
    from bridge.providers.openai.model import OpenAIRealtimeModel

__all__ = [
    "Agent",
    "Applied",
    "AudioChunk",
    "AudioEncoding",
    "AudioFormat",
    "Bridge",
    "BridgeError",
    "CallContext",
    "ClientEvent",
    "Config",
    "ConfigError",
    "ContextMutationOutcome",
    "EventHandler",
    "FunctionTool",
    "GeminiLiveModel",
    "OfflineModel",
    "OpenAIRealtimeModel",
    "RealtimeConfig",
    "RealtimeError",
    "RealtimeModel",
    "RealtimeRunner",
    "RealtimeRunnerBuilder",
    "RealtimeSession",
    "RequiresResumption",
    "Resumption",
    "RunOutcome",
    "RunnerConfig",
    "RunnerEvent",
    "RunnerState",
    "ServerError",
    "ServerEvent",
    "SessionUpdateConfig",
    "Tool",
    "ToolArgumentsError",
    "ToolCall",
    "ToolDefinition",
    "ToolHandler",
    "ToolResponse",
    "TranscriptionConfig",
    "UpdateResult",
    "VadConfig",
    "VadMode",
    "tool",
]

_PROVIDERS = {
    "GeminiLiveModel": "bridge.providers.gemini.model",
    "OfflineModel": "bridge.providers.offline.model",
    "OpenAIRealtimeModel": "bridge.providers.openai.model",
}


def __getattr__(name: str) -> Any:
    # Whoever speaks with one provider need not wait for the others' libraries.
    if name not in _PROVIDERS:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(_PROVIDERS[name]), name)
