"""What a realtime session is asked to be: instructions, voice, tools, turn-taking."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, fields, replace
from enum import StrEnum
from typing import Any, Self

from bridge.audio.formats import AudioEncoding

__all__ = [
    "RealtimeConfig",
    "SessionUpdateConfig",
    "ToolDefinition",
    "TranscriptionConfig",
    "VadConfig",
    "VadMode",
]


class VadMode(StrEnum):
    """Who decides that the caller has begun or ended a turn."""

    SERVER_VAD = "server_vad"
    SEMANTIC_VAD = "semantic_vad"
    NONE = "none"
    """Nobody: turns are committed by hand."""


@dataclass(frozen=True, slots=True)
class VadConfig:
    """Voice activity detection at the provider. None means the provider's own default."""

    mode: VadMode = VadMode.SERVER_VAD
    silence_duration_ms: int | None = 500
    threshold: float | None = None
    prefix_padding_ms: int | None = None
    interrupt_response: bool | None = True
    eagerness: str | None = None
    """Semantic VAD only: low, medium, high or auto."""

    @classmethod
    def server_vad(cls) -> VadConfig:
        return cls()

    @classmethod
    def semantic_vad(cls, eagerness: str | None = None) -> VadConfig:
        return cls(VadMode.SEMANTIC_VAD, silence_duration_ms=None, eagerness=eagerness)

    @classmethod
    def disabled(cls) -> VadConfig:
        return cls(VadMode.NONE, silence_duration_ms=None, interrupt_response=None)


@dataclass(frozen=True, slots=True)
class ToolDefinition:
    """A tool as the model sees it; `parameters` is a JSON schema of an object."""

    name: str
    description: str = ""
    parameters: Mapping[str, Any] | None = None

    def with_description(self, description: str) -> ToolDefinition:
        return replace(self, description=description)

    def with_parameters(self, parameters: Mapping[str, Any]) -> ToolDefinition:
        return replace(self, parameters=parameters)


@dataclass(frozen=True, slots=True)
class TranscriptionConfig:
    """Transcribe what the caller says. An empty model means the provider's default."""

    model: str = ""
    language: str | None = None


@dataclass(frozen=True, slots=True)
class RealtimeConfig:
    """
    A session's configuration. None means "not said": the provider's default at the
    start, and "as it is" in an update.
    """

    instruction: str | None = field(default=None, repr=False)
    voice: str | None = None
    modalities: tuple[str, ...] | None = None
    """("audio",) or ("text",)."""
    input_audio_format: AudioEncoding | None = None
    output_audio_format: AudioEncoding | None = None
    turn_detection: VadConfig | None = None
    tools: tuple[ToolDefinition, ...] | None = None
    tool_choice: str | None = None
    """auto, none, required, or a tool's name."""
    input_audio_transcription: TranscriptionConfig | None = None
    temperature: float | None = None
    max_response_output_tokens: int | None = None
    extra: Mapping[str, Any] | None = field(default=None, repr=False)
    """What one provider knows and we do not; merged key by key into its own message."""

    def with_instruction(self, instruction: str) -> Self:
        return replace(self, instruction=instruction)

    def with_voice(self, voice: str) -> Self:
        return replace(self, voice=voice)

    def with_tool(self, tool: ToolDefinition) -> Self:
        return replace(self, tools=(*(self.tools or ()), tool))

    def with_tools(self, *tools: ToolDefinition) -> Self:
        return replace(self, tools=tools)

    def with_vad(self, vad: VadConfig) -> Self:
        return replace(self, turn_detection=vad)

    def with_extra(self, **extra: Any) -> Self:
        return replace(self, extra=_merged(self.extra or {}, extra))

    def merge(self, change: RealtimeConfig) -> Self:
        """This configuration with every field that `change` names; `extra` is merged deeply."""
        named = change.named()
        if self.extra is not None and change.extra is not None:
            named["extra"] = _merged(self.extra, change.extra)
        return replace(self, **named)

    def named(self) -> dict[str, Any]:
        """The fields that are not None, by name."""
        said = ((each.name, getattr(self, each.name)) for each in fields(self))
        return {name: value for name, value in said if value is not None}


@dataclass(frozen=True, slots=True)
class SessionUpdateConfig(RealtimeConfig):
    """A change of a live session: only the fields that change are set."""


def _merged(base: Mapping[str, Any], change: Mapping[str, Any]) -> dict[str, Any]:
    merged = dict(base)
    for key, value in change.items():
        old = merged.get(key)
        both = isinstance(old, Mapping) and isinstance(value, Mapping)
        merged[key] = _merged(old, value) if both else value  # type: ignore[arg-type]
    return merged
