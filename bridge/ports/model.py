"""The doors to a realtime model: RealtimeModel connects, RealtimeSession talks."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, Protocol

from bridge.audio.formats import AudioChunk, AudioFormat
from bridge.ports.client_events import ClientEvent
from bridge.ports.conversation import HistoryItem
from bridge.ports.server_events import ServerEvent
from bridge.ports.session import RealtimeConfig

__all__ = [
    "Applied",
    "ContextMutationOutcome",
    "EventListener",
    "Memory",
    "RealtimeModel",
    "RealtimeSession",
    "RequiresResumption",
    "Resumption",
    "ToolCall",
    "ToolResponse",
]

EventListener = Callable[[ServerEvent], None]


@dataclass(frozen=True, slots=True)
class Applied:
    """The provider has confirmed the change."""


@dataclass(frozen=True, slots=True)
class RequiresResumption:
    """The provider cannot change a live session; a new one has to take over."""


ContextMutationOutcome = Applied | RequiresResumption


@dataclass(frozen=True, slots=True)
class ToolCall:
    """A tool call of the model's, with its arguments parsed."""

    call_id: str
    name: str
    arguments: Mapping[str, Any] = field(repr=False)


@dataclass(frozen=True, slots=True)
class ToolResponse:
    """The answer to a tool call: `output` is anything that JSON can say."""

    call_id: str
    output: Any = field(repr=False)
    name: str = ""


class Memory(StrEnum):
    """What a session knows of the conversation before it."""

    NONE = "none"
    """There was none, or nothing could be brought along."""
    NATIVE = "native"
    """The provider resumed its own session by its token."""
    REPLAYED = "replayed"
    """A new session was told the conversation."""


@dataclass(frozen=True, slots=True)
class Resumption:
    """What a new session needs to go on where another stopped."""

    token: str | None = field(default=None, repr=False)
    """The provider's newest resume token; used where the provider knows such a thing."""
    history: Sequence[HistoryItem] = field(default=(), repr=False)
    """The conversation, told to the session where no token can be used."""


class RealtimeSession(Protocol):
    """
    A conversation with a model over one connection. It is ready as soon as it exists.

    Sending never waits for the network: what the socket cannot take is bounded, audio
    drops its oldest first and is counted. Sending on a closed session raises SessionClosed.
    """

    @property
    def session_id(self) -> str:
        """The provider's own id of the session, never empty."""

    @property
    def is_connected(self) -> bool: ...

    @property
    def input_format(self) -> AudioFormat:
        """The format in which the caller's audio must come."""

    @property
    def output_format(self) -> AudioFormat:
        """The format in which the model's voice comes."""

    @property
    def memory(self) -> Memory: ...

    @property
    def expires_in(self) -> float | None:
        """Seconds from its creation until the provider ends the session, if it says so."""

    def attach(self, listener: EventListener) -> None:
        """
        Call `listener` with each event, in the loop turn in which it arrives.

        Events that came before are handed over first. From then on `next_event` has
        nothing to tell. The listener must not wait and must not raise.
        """

    def feed(self, audio: bytes) -> None:
        """Caller audio in `input_format`. Never waits; ignored once the session is over."""

    async def send_audio(self, audio: AudioChunk) -> None:
        """Raises AudioFormatError when the chunk is not in `input_format`."""

    async def send_audio_base64(self, audio_base64: str) -> None:
        """Caller audio in `input_format`, as base64."""

    async def send_text(self, text: str) -> None:
        """A message from the user. The model answers when it is asked to, or at its turn."""

    async def send_tool_response(self, *responses: ToolResponse) -> None:
        """All answers to the tool calls of one turn. Does not ask for a response."""

    async def commit_audio(self) -> None: ...

    async def clear_audio(self) -> None: ...

    async def create_response(self, instructions: str | None = None) -> None: ...

    async def interrupt(self) -> None: ...

    async def send_event(self, event: ClientEvent) -> None:
        """Any client event but UpdateSession, which is the runner's."""

    async def next_event(self) -> ServerEvent | None:
        """The next event; None after Disconnected. May be cancelled without loss."""

    def events(self) -> AsyncIterator[ServerEvent]: ...

    async def close(self) -> None:
        """Close within two seconds, whatever the peer does. Closing twice is harmless."""

    async def mutate_context(self, change: RealtimeConfig) -> ContextMutationOutcome:
        """
        Change the live session by the fields that `change` names, and wait until the
        provider confirms it. Raises ServerError when it refuses, SessionClosed when it went.
        """


class RealtimeModel(Protocol):
    """A provider's model, ready to be connected to."""

    @property
    def provider(self) -> str: ...

    @property
    def model_id(self) -> str: ...

    @property
    def supports_realtime(self) -> bool: ...

    @property
    def supported_input_formats(self) -> Sequence[AudioFormat]: ...

    @property
    def supported_output_formats(self) -> Sequence[AudioFormat]: ...

    @property
    def available_voices(self) -> Sequence[str]: ...

    @property
    def overlaps_sessions(self) -> bool:
        """Whether a new session may be opened before the old one is closed."""

    @property
    def tells_speech(self) -> bool:
        """Whether its sessions tell when the caller begins and stops speaking."""

    @property
    def responds_to_tools(self) -> bool:
        """Whether the model goes on by itself once its tool calls are answered."""

    async def connect(
        self, config: RealtimeConfig, resumption: Resumption | None = None
    ) -> RealtimeSession:
        """
        Open a session, configure it, wait until the provider confirms that, tell it the
        conversation, and only then return it.

        Raises UnsupportedConfig, AuthError, ResumptionRefused or ConnectError.
        """
