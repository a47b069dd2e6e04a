"""Configurations as setups: the fake server, with Google's own types, has to accept each."""

from __future__ import annotations

import json
from typing import Any

import pytest

from bridge.audio.formats import AudioEncoding
from bridge.errors import Fault, UnsupportedConfig
from bridge.ports.session import (
    RealtimeConfig,
    ToolDefinition,
    TranscriptionConfig,
    VadConfig,
)
from bridge.wire.gemini import VOICES, capabilities_of, write_context_update, write_setup
from tests.fakes import gemini_rules

ALL_MODELS = tuple(gemini_rules.MODELS)
MODEL = "gemini-3.8-live"
OLD_MODEL = "gemini-2.5-flash-native-audio-preview-12-2025"
HOURS = ToolDefinition(
    "opening_hours",
    "When it is open.",
    {"type": "object", "properties": {"day": {"type": "string"}}, "required": ["day"]},
)


def setup_for(config: RealtimeConfig, model: str = MODEL, **more: Any) -> dict[str, Any]:
    """The setup of a session, once the server's rules have let it pass."""
    text = write_setup(config, capabilities_of(model), model=f"models/{model}", **more)
    gemini_rules.check_setup(gemini_rules.read_message(text), vertex=False)
    setup: dict[str, Any] = json.loads(text)["setup"]
    return setup


@pytest.mark.parametrize("model", ALL_MODELS)
def test_every_model_accepts_an_empty_configuration(model: str) -> None:
    """Both sides are transcribed, sessions can be resumed, the context never overflows."""
    setup = setup_for(RealtimeConfig(), model)

    assert setup["model"] == f"models/{model}"
    assert setup["generationConfig"]["responseModalities"] == ["AUDIO"]
    assert setup["inputAudioTranscription"] == {}
    assert setup["outputAudioTranscription"] == {}
    assert setup["sessionResumption"] == {}
    assert setup["contextWindowCompression"] == {"slidingWindow": {}}
    assert "historyConfig" not in setup
    assert "tools" not in setup


@pytest.mark.parametrize("model", ALL_MODELS)
def test_every_model_accepts_a_full_configuration(model: str) -> None:
    config = RealtimeConfig(
        instruction="You answer for a bakery.",
        voice="kore",
        modalities=("audio",),
        input_audio_format=AudioEncoding.PCM16,
        output_audio_format=AudioEncoding.PCM16,
        turn_detection=VadConfig(threshold=0.3, prefix_padding_ms=40),
        tools=(HOURS, ToolDefinition("hang_up")),
        tool_choice="auto",
        input_audio_transcription=TranscriptionConfig(language="de-DE"),
        temperature=0.7,
        max_response_output_tokens=500,
    )

    setup = setup_for(config, model, handle="h-1")

    generation = setup["generationConfig"]
    voice = generation["speechConfig"]["voiceConfig"]["prebuiltVoiceConfig"]["voiceName"]
    assert voice == "Kore"
    assert (generation["temperature"], generation["maxOutputTokens"]) == (0.7, 500)
    assert setup["systemInstruction"] == {"parts": [{"text": "You answer for a bakery."}]}
    assert setup["inputAudioTranscription"] == {"languageCodes": ["de-DE"]}
    assert setup["sessionResumption"] == {"handle": "h-1"}
    assert setup["realtimeInputConfig"] == {
        "automaticActivityDetection": {
            "silenceDurationMs": 500,
            "prefixPaddingMs": 40,
            "startOfSpeechSensitivity": "START_SENSITIVITY_HIGH",
        },
        "activityHandling": "START_OF_ACTIVITY_INTERRUPTS",
    }


def test_tools_carry_the_schema_that_the_model_reads() -> None:
    newer = setup_for(RealtimeConfig(tools=(HOURS,)))
    older = setup_for(RealtimeConfig(tools=(HOURS,)), OLD_MODEL)

    assert newer["tools"][0]["functionDeclarations"] == [
        {
            "name": "opening_hours",
            "description": "When it is open.",
            "parametersJsonSchema": HOURS.parameters,
        }
    ]
    assert older["tools"][0]["functionDeclarations"][0]["parameters"] == {
        "type": "OBJECT",
        "properties": {"day": {"type": "STRING"}},
        "required": ["day"],
    }


@pytest.mark.parametrize("model", [MODEL, OLD_MODEL])
def test_a_tool_without_parameters_has_no_schema(model: str) -> None:
    """Gemini refuses objects without properties."""
    tool = ToolDefinition("hang_up", parameters={"type": "object", "properties": {}})

    setup = setup_for(RealtimeConfig(tools=(tool,)), model)

    assert setup["tools"] == [{"functionDeclarations": [{"name": "hang_up"}]}]


@pytest.mark.parametrize(
    ("vad", "expected"),
    [
        (VadConfig.disabled(), {"automaticActivityDetection": {"disabled": True}}),
        (
            VadConfig(silence_duration_ms=None, threshold=0.8, interrupt_response=False),
            {
                "automaticActivityDetection": {
                    "startOfSpeechSensitivity": "START_SENSITIVITY_LOW",
                },
                "activityHandling": "NO_INTERRUPTION",
            },
        ),
        (
            VadConfig(silence_duration_ms=None, interrupt_response=None),
            {"automaticActivityDetection": {}},
        ),
    ],
)
def test_turn_taking_is_said_in_geminis_words(vad: VadConfig, expected: object) -> None:
    assert setup_for(RealtimeConfig(turn_detection=vad))["realtimeInputConfig"] == expected


@pytest.mark.parametrize(
    ("model", "announced"), [(MODEL, True), ("gemini-3.1-flash-live-preview", True)]
)
def test_a_history_is_announced_where_the_model_waits_for_it(model: str, announced: bool) -> None:
    setup = setup_for(RealtimeConfig(), model, tells_history=True)

    assert setup["historyConfig"] == {"initialHistoryInClientContent": announced}


def test_generation_2_is_not_told_of_a_history() -> None:
    assert "historyConfig" not in setup_for(RealtimeConfig(), OLD_MODEL, tells_history=True)


def test_extra_is_laid_over_the_setup_key_by_key() -> None:
    config = RealtimeConfig(
        voice="Puck",
        tools=(HOURS,),
        extra={
            "generationConfig": {"topP": 0.9},
            "contextWindowCompression": {"triggerTokens": 25_000},
            "tools": [{"googleSearch": {}}],
            "outputAudioTranscription": None,
            "labels": {"team": "bakery"},
        },
    )

    setup = setup_for(config)

    assert setup["generationConfig"]["topP"] == 0.9
    assert setup["generationConfig"]["responseModalities"] == ["AUDIO"]
    assert setup["contextWindowCompression"] == {"slidingWindow": {}, "triggerTokens": 25_000}
    assert [next(iter(tool)) for tool in setup["tools"]] == ["functionDeclarations", "googleSearch"]
    assert "outputAudioTranscription" not in setup
    assert setup["labels"] == {"team": "bakery"}


def test_the_thinking_level_may_be_another() -> None:
    model = "gemini-3.8-live-extended-thinking"
    extra = {"generationConfig": {"thinkingConfig": {"thinkingLevel": "HIGH"}}}

    plain = setup_for(RealtimeConfig(), model)
    deeper = setup_for(RealtimeConfig(extra=extra), model)

    assert plain["generationConfig"]["thinkingConfig"] == {"thinkingLevel": "LOW"}
    assert deeper["generationConfig"]["thinkingConfig"] == {"thinkingLevel": "HIGH"}


def test_every_field_without_a_word_is_named_at_once() -> None:
    """No field is dropped in silence (D25)."""
    config = RealtimeConfig(
        voice="marin",
        modalities=("text", "audio"),
        input_audio_format=AudioEncoding.G711_ULAW,
        output_audio_format=AudioEncoding.G711_ALAW,
        turn_detection=VadConfig.semantic_vad("high"),
        tool_choice="required",
        input_audio_transcription=TranscriptionConfig(model="whisper-1"),
        extra={"generationConfig": {"thinkingConfig": {"thinkingBudget": 0}}},
    )

    with pytest.raises(UnsupportedConfig) as caught:
        setup_for(config)

    assert caught.value.fault is Fault.OPERATOR
    for words in (
        "voice=marin",
        "modalities=text+audio",
        "input_audio_format=g711_ulaw",
        "output_audio_format=g711_alaw",
        "turn_detection.mode=semantic_vad",
        "tool_choice=required",
        "input_audio_transcription.model=whisper-1",
        "extra.generationConfig.thinkingConfig",
    ):
        assert words in str(caught.value)


@pytest.mark.parametrize(
    ("model", "extra"),
    [
        (OLD_MODEL, {"generationConfig": {"thinkingConfig": {"thinkingLevel": "LOW"}}}),
        (OLD_MODEL, {"historyConfig": {"initialHistoryInClientContent": True}}),
        ("gemini-3.1-flash-live-preview", {"proactivity": {"proactiveAudio": True}}),
        ("gemini-3.1-flash-live-preview", {"generationConfig": {"enableAffectiveDialog": True}}),
        (MODEL, {"proactivity": {"proactiveAudio": False}}),
        (MODEL, {"generationConfig": {"enableAffectiveDialog": True}}),
    ],
)
def test_what_a_model_is_known_to_refuse_is_not_sent(model: str, extra: dict[str, Any]) -> None:
    """The server refuses it too, so that the table of models is not stricter than Google."""
    config = RealtimeConfig(extra=extra)

    with pytest.raises(UnsupportedConfig, match="extra"):
        setup_for(config, model)

    unchecked = write_setup(config, capabilities_of("unheard-of"), model=f"models/{model}")
    with pytest.raises(gemini_rules.Refused):
        gemini_rules.check_setup(gemini_rules.read_message(unchecked), vertex=False)


def test_eagerness_is_a_word_of_semantic_detection_only() -> None:
    config = RealtimeConfig(turn_detection=VadConfig(eagerness="high"))

    with pytest.raises(UnsupportedConfig, match=r"turn_detection\.eagerness"):
        setup_for(config)


def test_text_is_an_answer_where_the_model_writes() -> None:
    config = RealtimeConfig(modalities=("text",))
    capabilities = capabilities_of("gemini-live-2.5-flash-preview")

    setup = json.loads(write_setup(config, capabilities, model="models/m"))["setup"]

    assert setup["generationConfig"]["responseModalities"] == ["TEXT"]
    with pytest.raises(UnsupportedConfig, match="modalities=text"):
        setup_for(config)


def test_our_voices_are_googles() -> None:
    assert set(VOICES) == gemini_rules.VOICES


def test_a_context_update_names_what_changes_only() -> None:
    capabilities = capabilities_of(MODEL)

    told = write_context_update(RealtimeConfig(instruction="Be brief."), capabilities)
    cleared = write_context_update(RealtimeConfig(tools=()), capabilities)
    changed = write_context_update(RealtimeConfig(tools=(HOURS,)), capabilities)

    for text in (told, cleared, changed):
        assert gemini_rules.read_message(text).kind == "context_update"
    assert json.loads(told) == {
        "contextUpdate": {"systemInstruction": {"parts": [{"text": "Be brief."}]}}
    }
    assert json.loads(cleared) == {"contextUpdate": {"tools": {"tools": []}}}
    declared = json.loads(changed)["contextUpdate"]["tools"]["tools"][0]["functionDeclarations"]
    assert declared[0]["name"] == "opening_hours"
