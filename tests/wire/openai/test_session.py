"""A configuration becomes a session object: what is named, and nothing else."""

from __future__ import annotations

from typing import Any

import pytest

from bridge.audio.formats import ALAW_8K, PCM16_24K, ULAW_8K, AudioEncoding
from bridge.errors import UnsupportedConfig
from bridge.ports.session import (
    RealtimeConfig,
    ToolDefinition,
    TranscriptionConfig,
    VadConfig,
    VadMode,
)
from bridge.wire.openai.session import format_of, movable, write_session
from tests.fakes.openai.schema import client_problem

PCM = {"type": "audio/pcm", "rate": 24_000}
CURRENT: dict[str, Any] = {
    "type": "realtime",
    "model": "gpt-realtime",
    "instructions": "Old.",
    "audio": {
        "input": {"format": {"type": "audio/pcmu"}},
        "output": {"format": {"type": "audio/pcmu"}, "voice": "marin"},
    },
}


def test_nothing_said_is_nothing_written() -> None:
    """None means "not said": the provider's default stays."""
    assert write_session(RealtimeConfig()) == {"type": "realtime"}


def test_everything_that_can_be_said() -> None:
    """Each field has its place, and the official types agree."""
    config = RealtimeConfig(
        instruction="A bakery.",
        voice="cedar",
        modalities=("audio",),
        input_audio_format=AudioEncoding.PCM16,
        output_audio_format=AudioEncoding.G711_ULAW,
        turn_detection=VadConfig(threshold=0.4, prefix_padding_ms=200),
        tools=(ToolDefinition("hours", "When we open.", {"type": "object"}),),
        tool_choice="required",
        input_audio_transcription=TranscriptionConfig("gpt-live-transcribe", "en"),
        max_response_output_tokens=400,
    )

    session = write_session(config)

    assert session == {
        "type": "realtime",
        "instructions": "A bakery.",
        "output_modalities": ["audio"],
        "tools": [
            {
                "type": "function",
                "name": "hours",
                "description": "When we open.",
                "parameters": {"type": "object"},
            }
        ],
        "tool_choice": "required",
        "max_output_tokens": 400,
        "audio": {
            "input": {
                "format": PCM,
                "turn_detection": {
                    "type": "server_vad",
                    "threshold": 0.4,
                    "prefix_padding_ms": 200,
                    "silence_duration_ms": 500,
                    "interrupt_response": True,
                },
                "transcription": {"model": "gpt-live-transcribe", "language": "en"},
            },
            "output": {"format": {"type": "audio/pcmu"}, "voice": "cedar"},
        },
    }
    assert client_problem({"type": "session.update", "session": session}) is None


@pytest.mark.parametrize(
    ("vad", "words"),
    [
        (VadConfig.disabled(), None),
        (
            VadConfig.semantic_vad("low"),
            {"type": "semantic_vad", "eagerness": "low", "interrupt_response": True},
        ),
        (
            VadConfig(VadMode.SEMANTIC_VAD, interrupt_response=False),
            {"type": "semantic_vad", "interrupt_response": False},
        ),
        (
            VadConfig(silence_duration_ms=None, interrupt_response=None),
            {"type": "server_vad"},
        ),
    ],
)
def test_turn_detection(vad: VadConfig, words: dict[str, Any] | None) -> None:
    """No detection is a null, so that the provider's own goes off."""
    session = write_session(RealtimeConfig(turn_detection=vad))

    assert session["audio"]["input"] == {"turn_detection": words}
    assert client_problem({"type": "session.update", "session": session}) is None


def test_a_tool_by_name_and_a_transcription_by_default() -> None:
    """A forced tool is an object; a transcription without a model gets one."""
    config = RealtimeConfig(
        tool_choice="hours", input_audio_transcription=TranscriptionConfig(language="de")
    )

    session = write_session(config)

    assert session["tool_choice"] == {"type": "function", "name": "hours"}
    assert session["audio"]["input"]["transcription"] == {
        "model": "gpt-transcribe",
        "language": "de",
    }
    assert client_problem({"type": "session.update", "session": session}) is None


def test_no_tools_is_a_word_too() -> None:
    """An empty tuple takes all tools away."""
    assert write_session(RealtimeConfig(tools=()))["tools"] == []


def test_extra_is_merged_deeply() -> None:
    """What we have no word for goes where it belongs, beside what we have."""
    config = RealtimeConfig(
        voice="cedar",
        extra={
            "reasoning": {"effort": "low"},
            "audio": {"output": {"speed": 1.1}, "input": {"noise_reduction": None}},
        },
    )

    assert write_session(config) == {
        "type": "realtime",
        "reasoning": {"effort": "low"},
        "audio": {
            "output": {"voice": "cedar", "speed": 1.1},
            "input": {"noise_reduction": None},
        },
    }


def test_what_cannot_be_said_is_refused_by_name() -> None:
    """All of it at once, rather than left out."""
    config = RealtimeConfig(
        temperature=0.8,
        modalities=("text", "audio"),
        max_response_output_tokens=10_000,
        turn_detection=VadConfig(eagerness="low"),
    )
    with pytest.raises(UnsupportedConfig) as caught:
        write_session(config)

    for field in ("temperature", "modalities", "max_response_output_tokens", "eagerness"):
        assert field in str(caught.value)


@pytest.mark.parametrize(
    ("vad", "field"),
    [
        (VadConfig(VadMode.SEMANTIC_VAD, threshold=0.5), "threshold"),
        (VadConfig(VadMode.SEMANTIC_VAD, prefix_padding_ms=1), "prefix_padding_ms"),
        (VadConfig(VadMode.SEMANTIC_VAD, silence_duration_ms=700), "silence_duration_ms"),
        (VadConfig.semantic_vad("eager"), "eagerness"),
    ],
)
def test_what_semantic_detection_does_not_know(vad: VadConfig, field: str) -> None:
    """Its turns are found by meaning, not by milliseconds."""
    with pytest.raises(UnsupportedConfig, match=field):
        write_session(RealtimeConfig(turn_detection=vad))


@pytest.mark.parametrize(
    ("words", "format"),
    [
        (PCM, PCM16_24K),
        ({"type": "audio/pcmu"}, ULAW_8K),
        ({"type": "audio/pcma"}, ALAW_8K),
        (None, PCM16_24K),
    ],
)
def test_the_format_that_a_session_names(words: dict[str, Any] | None, format: object) -> None:
    """Even where it came in through `extra`."""
    session = {"audio": {"input": {"format": words}}} if words else {}

    assert format_of(session, "input") == format


def test_instructions_move() -> None:
    """A live session can be told them at any time."""
    change = write_session(RealtimeConfig(instruction="New."))

    assert movable(change, CURRENT, spoken=True) == change


def test_the_voice_moves_until_it_was_heard() -> None:
    """Afterwards a new session is needed."""
    change = write_session(RealtimeConfig(voice="cedar"))

    assert movable(change, CURRENT, spoken=False) == change
    assert movable(change, CURRENT, spoken=True) is None


def test_formats_and_models_never_move() -> None:
    """Not even through `extra`."""
    other = write_session(RealtimeConfig(input_audio_format=AudioEncoding.PCM16))
    model = write_session(RealtimeConfig(extra={"model": "gpt-realtime-2"}))

    assert movable(other, CURRENT, spoken=False) is None
    assert movable(model, CURRENT, spoken=False) is None


def test_what_is_already_so_is_left_out() -> None:
    """The provider would refuse the whole update for a voice that does not even change."""
    change = write_session(
        RealtimeConfig(
            instruction="New.", voice="marin", input_audio_format=AudioEncoding.G711_ULAW
        )
    )

    assert movable(change, CURRENT, spoken=True) == {"type": "realtime", "instructions": "New."}
