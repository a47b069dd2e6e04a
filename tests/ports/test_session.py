"""Configurations, and how one becomes another."""

from __future__ import annotations

from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from bridge.ports.session import (
    RealtimeConfig,
    SessionUpdateConfig,
    ToolDefinition,
    VadConfig,
    VadMode,
)

HOURS, PRICES = ToolDefinition("hours"), ToolDefinition("prices")
EXTRAS = st.recursive(
    st.integers(),
    lambda inner: st.dictionaries(st.sampled_from("abc"), inner, max_size=3),
    max_leaves=8,
)
OBJECTS = st.dictionaries(st.sampled_from("abc"), EXTRAS, max_size=3)


def test_a_change_names_what_it_changes() -> None:
    """Everything else stays as it is."""
    config = RealtimeConfig(instruction="Be kind.", voice="ash", temperature=0.7)

    changed = config.merge(SessionUpdateConfig(voice="marin"))

    assert changed == RealtimeConfig(instruction="Be kind.", voice="marin", temperature=0.7)
    assert config.voice == "ash"


def test_nothing_is_not_something_empty() -> None:
    """No tools at all is a change; not speaking of tools is none."""
    config = RealtimeConfig(tools=(HOURS,))

    assert config.merge(RealtimeConfig(tools=())).tools == ()
    assert config.merge(RealtimeConfig()).tools == (HOURS,)
    assert RealtimeConfig(tools=()).named() == {"tools": ()}


def test_extra_is_merged_deeply() -> None:
    """What another part of it says is not lost."""
    config = RealtimeConfig(extra={"audio": {"input": {"rate": 8}, "speed": 1}, "trace": "on"})

    changed = config.merge(RealtimeConfig(extra={"audio": {"input": {"noise": "near"}}}))

    assert changed.extra == {
        "audio": {"input": {"rate": 8, "noise": "near"}, "speed": 1},
        "trace": "on",
    }
    assert config.extra == {"audio": {"input": {"rate": 8}, "speed": 1}, "trace": "on"}


def test_extra_replaces_what_is_no_object() -> None:
    config = RealtimeConfig(extra={"audio": {"speed": 1}, "trace": {"to": "here"}})

    changed = config.merge(RealtimeConfig(extra={"audio": None, "trace": "off"}))

    assert changed.extra == {"audio": None, "trace": "off"}


@given(OBJECTS, OBJECTS)
def test_a_merged_extra_says_all_that_the_change_says(
    base: dict[str, Any], change: dict[str, Any]
) -> None:
    """And nothing that neither said; merging it once more changes nothing."""
    merged = RealtimeConfig(extra=base).merge(RealtimeConfig(extra=change))

    assert merged.extra is not None
    assert says(merged.extra, change)
    assert set(merged.extra) == set(base) | set(change)
    assert merged.merge(RealtimeConfig(extra=change)) == merged


def says(whole: Any, part: Any) -> bool:
    if isinstance(part, dict):
        return isinstance(whole, dict) and all(says(whole.get(key), part[key]) for key in part)
    return bool(whole == part)


def test_a_configuration_is_built_piece_by_piece() -> None:
    built = (
        RealtimeConfig()
        .with_instruction("Be kind.")
        .with_voice("ash")
        .with_tool(HOURS)
        .with_tool(PRICES)
        .with_vad(VadConfig.server_vad())
        .with_extra(audio={"speed": 1})
        .with_extra(audio={"noise": "near"})
    )

    assert built == RealtimeConfig(
        instruction="Be kind.",
        voice="ash",
        tools=(HOURS, PRICES),
        turn_detection=VadConfig(),
        extra={"audio": {"speed": 1, "noise": "near"}},
    )
    assert built.with_tools(PRICES).tools == (PRICES,)


def test_a_change_stays_a_change() -> None:
    """The builders keep the kind of what they build on."""
    assert isinstance(SessionUpdateConfig().with_voice("ash"), SessionUpdateConfig)


def test_who_detects_turns() -> None:
    """What a kind of detection does not know is left out."""
    assert VadConfig.server_vad().mode is VadMode.SERVER_VAD
    assert VadConfig.semantic_vad("low") == VadConfig(
        VadMode.SEMANTIC_VAD, silence_duration_ms=None, eagerness="low"
    )
    assert VadConfig.disabled() == VadConfig(
        VadMode.NONE, silence_duration_ms=None, interrupt_response=None
    )


def test_a_tool_is_described_piece_by_piece() -> None:
    built = HOURS.with_description("When open.").with_parameters({"type": "object"})

    assert built == ToolDefinition("hours", "When open.", {"type": "object"})
    assert ToolDefinition("hours") == HOURS
