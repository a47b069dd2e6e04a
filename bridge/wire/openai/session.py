"""
Our configuration as a session object of OpenAI's (Realtime API, `session.update`).

Rule: only what the configuration names is written, and what has no word there is refused
by name, not left out.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from bridge.audio.formats import ALAW_8K, PCM16_24K, ULAW_8K, AudioEncoding, AudioFormat
from bridge.errors import UnsupportedConfig
from bridge.ports.session import (
    RealtimeConfig,
    ToolDefinition,
    TranscriptionConfig,
    VadConfig,
    VadMode,
)

__all__ = ["FORMATS", "format_of", "movable", "write_session"]

TRANSCRIPTION_MODEL = "gpt-transcribe"  # for a TranscriptionConfig that names none
MAX_OUTPUT_TOKENS = 4_096

FORMATS: Mapping[AudioEncoding, AudioFormat] = {
    AudioEncoding.PCM16: PCM16_24K,
    AudioEncoding.G711_ULAW: ULAW_8K,
    AudioEncoding.G711_ALAW: ALAW_8K,
}
"""The one rate in which each encoding is spoken."""

_FORMAT_WORDS: Mapping[AudioEncoding, Mapping[str, Any]] = {
    AudioEncoding.PCM16: {"type": "audio/pcm", "rate": 24_000},
    AudioEncoding.G711_ULAW: {"type": "audio/pcmu"},
    AudioEncoding.G711_ALAW: {"type": "audio/pcma"},
}
_EAGERNESS = frozenset({"low", "medium", "high", "auto"})
_DEFAULT_SILENCE_MS = VadConfig().silence_duration_ms

_Path = tuple[str, ...]
_VOICE: _Path = ("audio", "output", "voice")
_FIXED: tuple[_Path, ...] = (
    ("model",),
    ("audio", "input", "format"),
    ("audio", "output", "format"),
)
_ABSENT = object()


def write_session(config: RealtimeConfig) -> dict[str, Any]:
    """The session object; raises UnsupportedConfig, which names every field without a word."""
    if unsupported := list(_unsupported(config)):
        raise UnsupportedConfig(f"OpenAI has no words for {', '.join(unsupported)}")
    session: dict[str, Any] = {"type": "realtime"}
    if config.modalities is not None:
        session["output_modalities"] = list(config.modalities)
    if config.instruction is not None:
        session["instructions"] = config.instruction
    if config.tools is not None:
        session["tools"] = [_tool(tool) for tool in config.tools]
    if config.tool_choice is not None:
        session["tool_choice"] = _tool_choice(config.tool_choice)
    if config.max_response_output_tokens is not None:
        session["max_output_tokens"] = config.max_response_output_tokens
    if audio := _audio(config):
        session["audio"] = audio
    return _with_extra(session, config.extra)


def format_of(session: Mapping[str, Any], side: str) -> AudioFormat:
    """The format that a session object names for `input` or `output`; PCM16 if it names none."""
    words = _dig(session, ("audio", side, "format"))
    kind = words.get("type") if isinstance(words, Mapping) else None
    for encoding, known in _FORMAT_WORDS.items():
        if kind == known["type"]:
            return FORMATS[encoding]
    return PCM16_24K


def movable(
    change: dict[str, Any], current: Mapping[str, Any], *, spoken: bool
) -> dict[str, Any] | None:
    """
    What of `change` a live session can be told; None when it needs a new session.

    The model and the formats never move, nor does the voice once it was heard
    (`spoken`). Naming what is already so is no change, but the provider would refuse it.
    """
    for path in (*_FIXED, _VOICE) if spoken else _FIXED:
        wanted = _dig(change, path)
        if wanted is _ABSENT:
            continue
        if wanted != _dig(current, path):
            return None
        change = _without(change, path)
    return change


def _unsupported(config: RealtimeConfig) -> Iterator[str]:
    if config.temperature is not None:
        yield "temperature"
    if config.modalities not in {None, ("audio",), ("text",)}:
        yield f"modalities {config.modalities} (it is either audio or text)"
    tokens = config.max_response_output_tokens
    if tokens is not None and not 1 <= tokens <= MAX_OUTPUT_TOKENS:
        yield f"max_response_output_tokens {tokens} (it is 1 to {MAX_OUTPUT_TOKENS})"
    if config.turn_detection is not None:
        yield from _unsupported_vad(config.turn_detection)


def _unsupported_vad(vad: VadConfig) -> Iterator[str]:
    if vad.mode is VadMode.SERVER_VAD and vad.eagerness is not None:
        yield "turn_detection.eagerness (semantic_vad only)"
    if vad.mode is not VadMode.SEMANTIC_VAD:
        return
    if vad.eagerness is not None and vad.eagerness not in _EAGERNESS:
        yield f"turn_detection.eagerness (it is {', '.join(sorted(_EAGERNESS))})"
    if vad.threshold is not None:
        yield "turn_detection.threshold (server_vad only)"
    if vad.prefix_padding_ms is not None:
        yield "turn_detection.prefix_padding_ms (server_vad only)"
    if vad.silence_duration_ms not in {None, _DEFAULT_SILENCE_MS}:
        yield "turn_detection.silence_duration_ms (server_vad only)"


def _audio(config: RealtimeConfig) -> dict[str, Any]:
    hears: dict[str, Any] = {}
    speaks: dict[str, Any] = {}
    if config.input_audio_format is not None:
        hears["format"] = dict(_FORMAT_WORDS[config.input_audio_format])
    if config.turn_detection is not None:
        hears["turn_detection"] = _turn_detection(config.turn_detection)
    if config.input_audio_transcription is not None:
        hears["transcription"] = _transcription(config.input_audio_transcription)
    if config.output_audio_format is not None:
        speaks["format"] = dict(_FORMAT_WORDS[config.output_audio_format])
    if config.voice is not None:
        speaks["voice"] = config.voice
    return {side: words for side, words in (("input", hears), ("output", speaks)) if words}


def _turn_detection(vad: VadConfig) -> dict[str, Any] | None:
    match vad.mode:
        case VadMode.NONE:
            return None
        case VadMode.SERVER_VAD:
            words: dict[str, Any] = {
                "threshold": vad.threshold,
                "prefix_padding_ms": vad.prefix_padding_ms,
                "silence_duration_ms": vad.silence_duration_ms,
                "interrupt_response": vad.interrupt_response,
            }
            return {"type": "server_vad"} | _named(words)
        case VadMode.SEMANTIC_VAD:
            words = {"eagerness": vad.eagerness, "interrupt_response": vad.interrupt_response}
            return {"type": "semantic_vad"} | _named(words)


def _transcription(config: TranscriptionConfig) -> dict[str, Any]:
    words = {"model": config.model or TRANSCRIPTION_MODEL, "language": config.language}
    return _named(words)


def _tool(tool: ToolDefinition) -> dict[str, Any]:
    words = {"description": tool.description or None, "parameters": tool.parameters}
    return {"type": "function", "name": tool.name} | _named(words)


def _tool_choice(choice: str) -> str | dict[str, str]:
    if choice in {"auto", "none", "required"}:
        return choice
    return {"type": "function", "name": choice}


def _named(words: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in words.items() if value is not None}


def _with_extra(session: dict[str, Any], extra: Mapping[str, Any] | None) -> dict[str, Any]:
    """A configuration already knows how two extras are merged."""
    if extra is None:
        return session
    return dict(RealtimeConfig(extra=session).with_extra(**extra).extra or {})


def _dig(words: Any, path: _Path) -> Any:
    for key in path:
        if not isinstance(words, Mapping) or key not in words:
            return _ABSENT
        words = words[key]
    return words


def _without(words: Mapping[str, Any], path: _Path) -> dict[str, Any]:
    """`words` without what is at `path`, and without what is empty then."""
    key, *rest = path
    left = dict(words)
    inner = _without(left[key], tuple(rest)) if rest else None
    if inner:
        left[key] = inner
    else:
        del left[key]
    return left
