"""
What can go wrong, and whose fault it was.

Rule: whatever others do wrong is an error of this tree and names its `Fault`; what we do
wrong is any other exception and is raised, loudly. No text here carries a key, a number,
a token or a word that was spoken.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

__all__ = [
    "AudioFormatError",
    "AuthError",
    "BridgeError",
    "CarrierError",
    "CarrierProtocolError",
    "ConfigError",
    "ConnectError",
    "Ending",
    "Fault",
    "NotConnected",
    "ProviderProtocolError",
    "RealtimeError",
    "ResumptionRefused",
    "ServerError",
    "SessionClosed",
    "StoreError",
    "ToolArgumentsError",
    "ToolError",
    "UnsupportedConfig",
]


class Fault(StrEnum):
    """Who caused an error or the end of a call."""

    NOBODY = "nobody"
    CALLER = "caller"
    CARRIER = "carrier"
    PROVIDER = "provider"
    AGENT = "agent"
    OPERATOR = "operator"
    STORE = "store"
    BRIDGE = "bridge"


@dataclass(frozen=True, slots=True)
class Ending:
    """Why a call is over: `reason` is a word for metrics, `detail` one sentence for people."""

    fault: Fault
    reason: str
    detail: str = ""


class BridgeError(Exception):
    """The root of the tree. `fault` says who can mend it."""

    fault: Fault = Fault.BRIDGE


class ConfigError(BridgeError):
    """A setting is missing or wrong; the text names all of them at once."""

    fault = Fault.OPERATOR


class CarrierError(BridgeError):
    """The carrier refused, vanished or answered nonsense."""

    fault = Fault.CARRIER


class CarrierProtocolError(CarrierError):
    """A frame or request of the carrier's that its protocol does not allow."""


class StoreError(BridgeError):
    """The store did not answer, or refused."""

    fault = Fault.STORE


class ToolError(BridgeError):
    """A tool of the agent's failed; the text is for logs, never spoken."""

    fault = Fault.AGENT


class ToolArgumentsError(ToolError):
    """The model called a tool with arguments that do not fit; the text is for the model."""

    fault = Fault.PROVIDER


class RealtimeError(BridgeError):
    """Everything that concerns a realtime model and its session."""

    fault = Fault.PROVIDER


class ConnectError(RealtimeError):
    """
    The provider could not be reached or did not become ready.

    `retryable` says whether trying again may help; `retry_after` is the provider's own
    wish in seconds, if it had one.
    """

    def __init__(
        self, message: str, *, retryable: bool = True, retry_after: float | None = None
    ) -> None:
        super().__init__(message)
        self.retryable = retryable
        self.retry_after = retry_after


class AuthError(ConnectError):
    """The provider refused the key, the account or its quota: trying again cannot help."""

    fault = Fault.OPERATOR

    def __init__(self, message: str) -> None:
        super().__init__(message, retryable=False)


class ResumptionRefused(ConnectError):
    """The provider no longer knows the resume token; a fresh session with history may do."""


class NotConnected(RealtimeError):
    """There is no session to send to."""


class SessionClosed(RealtimeError):
    """The session has been closed, by us or by the provider."""


class ServerError(RealtimeError):
    """The provider answered a request with an error; `code` is the provider's own word."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(f"{code}: {message}" if code else message)
        self.code = code


class ProviderProtocolError(RealtimeError):
    """A frame of the provider's that its protocol does not allow."""


class UnsupportedConfig(RealtimeError):
    """The model cannot do what the configuration asks; the text names every field."""

    fault = Fault.OPERATOR


class AudioFormatError(RealtimeError):
    """Audio bytes that are not in the format they claim."""

    fault = Fault.BRIDGE
