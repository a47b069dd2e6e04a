"""The settings of the program."""

from bridge.config.config import (
    AgentSettings,
    AudioChoice,
    Config,
    GeminiSettings,
    LogFormat,
    LogLevel,
    OpenAISettings,
    ProviderName,
    TwilioSettings,
)
from bridge.config.environment import environment, inherited
from bridge.config.reader import is_dialable
from bridge.config.secret import Secret
from bridge.config.settings import SETTINGS, Setting
from bridge.config.sip import SipPlace, SipRegistrar, SipSettings

__all__ = [
    "SETTINGS",
    "AgentSettings",
    "AudioChoice",
    "Config",
    "GeminiSettings",
    "LogFormat",
    "LogLevel",
    "OpenAISettings",
    "ProviderName",
    "Secret",
    "Setting",
    "SipPlace",
    "SipRegistrar",
    "SipSettings",
    "TwilioSettings",
    "environment",
    "inherited",
    "is_dialable",
]
