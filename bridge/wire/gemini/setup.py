"""The configuration of a session: `setup`, the first message, and `contextUpdate`."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from bridge.audio.formats import AudioEncoding
from bridge.errors import UnsupportedConfig
from bridge.ports.session import (
    RealtimeConfig,
    ToolDefinition,
    TranscriptionConfig,
    VadConfig,
    VadMode,
)
from bridge.wire.gemini.capabilities import Capabilities
from bridge.wire.gemini.content import write
from bridge.wire.gemini.schema import openapi_schema

__all__ = ["VOICES", "write_context_update", "write_setup"]

VOICES = (
    "Achernar",
    "Achird",
    "Algenib",
    "Algieba",
    "Alnilam",
    "Aoede",
    "Autonoe",
    "Callirrhoe",
    "Charon",
    "Despina",
    "Enceladus",
    "Erinome",
    "Fenrir",
    "Gacrux",
    "Iapetus",
    "Kore",
    "Laomedeia",
    "Leda",
    "Orus",
    "Puck",
    "Pulcherrima",
    "Rasalgethi",
    "Sadachbia",
    "Sadaltager",
    "Schedar",
    "Sulafat",
    "Umbriel",
    "Vindemiatrix",
    "Zephyr",
    "Zubenelgenubi",
)
_VOICES = {voice.lower(): voice for voice in VOICES}

MIDDLE_THRESHOLD = 0.5  # speech detection knows two sensitivities: above this it is the low one


def write_setup(
    config: RealtimeConfig,
    capabilities: Capabilities,
    *,
    model: str,
    handle: str | None = None,
    tells_history: bool = False,
) -> str:
    """
    The message that opens a session with `model`, a resource path.

    `handle` resumes another session; with `tells_history` the server waits for the
    conversation before it listens. `config.extra` is laid over the setup, key by key in
    Google's camel case: mappings are merged, tools are added, None takes a key away, and
    everything else replaces what was there. Raises UnsupportedConfig with the name of
    every field that the model has no word for.
    """
    unsupported = list(_unsupported(config, capabilities))
    setup: dict[str, Any] = {
        "model": model,
        "generationConfig": _generation(config, capabilities),
        "inputAudioTranscription": _transcription(config.input_audio_transcription),
        "outputAudioTranscription": {},
        "sessionResumption": {} if handle is None else {"handle": handle},
        "contextWindowCompression": {"slidingWindow": {}},
    }
    if config.instruction:
        setup["systemInstruction"] = _instruction(config.instruction)
    if config.tools:
        setup["tools"] = _tools(config.tools, capabilities)
    if config.turn_detection is not None:
        setup["realtimeInputConfig"] = _turn_taking(config.turn_detection)
    if tells_history and capabilities.history_config:
        setup["historyConfig"] = {"initialHistoryInClientContent": True}
    setup = _laid_over(setup, config.extra or {})
    unsupported += [f"extra.{path}" for path in _refused(setup, capabilities)]
    if unsupported:
        raise UnsupportedConfig(f"the model has no word for: {', '.join(unsupported)}")
    return write({"setup": setup})


def write_context_update(change: RealtimeConfig, capabilities: Capabilities) -> str:
    """`contextUpdate` with the instruction and the tools that `change` names."""
    update: dict[str, Any] = {}
    if change.instruction is not None:
        update["systemInstruction"] = _instruction(change.instruction)
    if change.tools is not None:
        update["tools"] = {"tools": _tools(change.tools, capabilities)}
    return write({"contextUpdate": update})


def _generation(config: RealtimeConfig, capabilities: Capabilities) -> dict[str, Any]:
    modalities = [modality.upper() for modality in config.modalities or ("audio",)]
    generation: dict[str, Any] = {"responseModalities": modalities}
    if config.voice is not None:
        voice = {"voiceName": _VOICES.get(config.voice.lower(), config.voice)}
        generation["speechConfig"] = {"voiceConfig": {"prebuiltVoiceConfig": voice}}
    if config.temperature is not None:
        generation["temperature"] = config.temperature
    if config.max_response_output_tokens is not None:
        generation["maxOutputTokens"] = config.max_response_output_tokens
    if capabilities.thinking_level is not None:
        generation["thinkingConfig"] = {"thinkingLevel": capabilities.thinking_level}
    return generation


def _instruction(text: str) -> dict[str, Any]:
    return {"parts": [{"text": text}]}


def _transcription(wish: TranscriptionConfig | None) -> dict[str, Any]:
    return {} if wish is None or wish.language is None else {"languageCodes": [wish.language]}


def _tools(tools: Sequence[ToolDefinition], capabilities: Capabilities) -> list[dict[str, Any]]:
    declarations = [_declaration(tool, capabilities) for tool in tools]
    return [{"functionDeclarations": declarations}] if declarations else []


def _declaration(tool: ToolDefinition, capabilities: Capabilities) -> dict[str, Any]:
    declaration: dict[str, Any] = {"name": tool.name}
    if tool.description:
        declaration["description"] = tool.description
    if tool.parameters and tool.parameters.get("properties"):  # an empty object is refused
        if capabilities.json_schema:
            declaration["parametersJsonSchema"] = tool.parameters
        else:
            declaration["parameters"] = openapi_schema(tool.parameters)
    return declaration


def _turn_taking(vad: VadConfig) -> dict[str, Any]:
    """
    `realtimeInputConfig`. Gemini's prefix padding is how long speech has to last before it
    counts, so that what OpenAI keeps is here what is waited for.
    """
    if vad.mode is VadMode.NONE:
        return {"automaticActivityDetection": {"disabled": True}}
    detection: dict[str, Any] = {}
    if vad.silence_duration_ms is not None:
        detection["silenceDurationMs"] = vad.silence_duration_ms
    if vad.prefix_padding_ms is not None:
        detection["prefixPaddingMs"] = vad.prefix_padding_ms
    if vad.threshold is not None:
        level = "LOW" if vad.threshold > MIDDLE_THRESHOLD else "HIGH"
        detection["startOfSpeechSensitivity"] = f"START_SENSITIVITY_{level}"
    taking: dict[str, Any] = {"automaticActivityDetection": detection}
    if vad.interrupt_response is not None:
        interrupts = vad.interrupt_response
        handling = "START_OF_ACTIVITY_INTERRUPTS" if interrupts else "NO_INTERRUPTION"
        taking["activityHandling"] = handling
    return taking


def _unsupported(config: RealtimeConfig, capabilities: Capabilities) -> Iterator[str]:
    """The fields that this model has no word for, each with what it was asked to be."""
    if config.voice is not None and config.voice.lower() not in _VOICES:
        yield f"voice={config.voice} (another may be named in extra)"
    if config.modalities is not None:
        wanted = tuple(modality.lower() for modality in config.modalities)
        if wanted != ("audio",) and not (wanted == ("text",) and capabilities.text_output):
            yield f"modalities={'+'.join(wanted)}"
    for name in ("input_audio_format", "output_audio_format"):
        if getattr(config, name) not in {None, AudioEncoding.PCM16}:
            yield f"{name}={getattr(config, name)}"
    if config.turn_detection is not None and config.turn_detection.mode is VadMode.SEMANTIC_VAD:
        yield "turn_detection.mode=semantic_vad"
    elif config.turn_detection is not None and config.turn_detection.eagerness is not None:
        yield "turn_detection.eagerness"
    if config.tool_choice not in {None, "auto"}:
        yield f"tool_choice={config.tool_choice}"
    if config.input_audio_transcription is not None and config.input_audio_transcription.model:
        yield f"input_audio_transcription.model={config.input_audio_transcription.model}"


def _refused(setup: Mapping[str, Any], capabilities: Capabilities) -> Iterable[str]:
    for path, value in capabilities.refused:
        found: Any = setup
        for key in path.split("."):
            found = found.get(key) if isinstance(found, Mapping) else None
        if found is not None and value in (None, found):
            yield path


def _laid_over(base: Mapping[str, Any], over: Mapping[str, Any]) -> dict[str, Any]:
    laid = dict(base)
    for key, value in over.items():
        old = laid.get(key)
        if value is None:
            laid.pop(key, None)
        elif isinstance(old, Mapping) and isinstance(value, Mapping):
            laid[key] = _laid_over(old, value)
        elif key == "tools" and isinstance(old, list):
            laid[key] = [*old, *value]
        else:
            laid[key] = value
    return laid
