"""The table of models: found by name, with an answer for names that nobody knows."""

from __future__ import annotations

import pytest

from bridge.wire.gemini import Capabilities, capabilities_of


@pytest.mark.parametrize(
    "model",
    [
        "gemini-3.8-live",
        "models/gemini-3.8-live",
        "projects/p/locations/global/publishers/google/models/gemini-3.8-live",
        "gemini-4-live",
        "gemini-10.2-live-preview",
    ],
)
def test_the_newest_generation_changes_a_live_session(model: str) -> None:
    capabilities = capabilities_of(model)

    assert capabilities.context_update
    assert capabilities.history_config
    assert capabilities.content_any_time


def test_generation_3_1_takes_content_as_history_only() -> None:
    capabilities = capabilities_of("gemini-3.1-flash-live-preview")

    assert not capabilities.content_any_time
    assert not capabilities.context_update
    assert capabilities.history_config


@pytest.mark.parametrize(
    ("model", "writes"),
    [
        ("gemini-2.5-flash-native-audio-preview-12-2025", False),
        ("gemini-live-2.5-flash-native-audio", False),
        ("gemini-live-2.5-flash-preview", True),
        ("gemini-2.0-flash-live-001", True),
    ],
)
def test_generation_2_has_neither_history_config_nor_json_schemas(model: str, writes: bool) -> None:
    capabilities = capabilities_of(model)

    assert not capabilities.history_config
    assert not capabilities.json_schema
    assert capabilities.text_output is writes


def test_extended_thinking_wants_a_level() -> None:
    assert capabilities_of("gemini-3.8-live-extended-thinking").thinking_level == "LOW"
    assert capabilities_of("gemini-3.8-live").thinking_level is None


def test_an_unknown_name_gets_careful_defaults() -> None:
    """What may be missing is not used, what every model has is."""
    assert capabilities_of("tuned-for-a-bakery") == Capabilities()
    assert not Capabilities().context_update
