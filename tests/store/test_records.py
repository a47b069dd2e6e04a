"""What is written into a store is read back as it was."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bridge.audio.formats import AudioEncoding
from bridge.errors import StoreError
from bridge.ports import leg
from bridge.ports.conversation import AgentSaid, CallerSaid, HistoryItem, Note, ToolUsed
from bridge.ports.mail import ChangeWish
from bridge.ports.session import (
    RealtimeConfig,
    ToolDefinition,
    TranscriptionConfig,
    VadConfig,
)
from bridge.store import records

CONFIG = RealtimeConfig(
    instruction="You answer for a bakery.",
    voice="marin",
    modalities=("audio",),
    input_audio_format=AudioEncoding.G711_ULAW,
    turn_detection=VadConfig.semantic_vad("low"),
    tools=(ToolDefinition("hours", "When open.", {"type": "object", "properties": {}}),),
    input_audio_transcription=TranscriptionConfig(language="de"),
    temperature=0.7,
    extra={"offline": {"turns": [1, 2]}},
)

ITEMS = st.one_of(
    st.builds(CallerSaid, st.text()),
    st.builds(AgentSaid, st.text()),
    st.builds(Note, st.text()),
    st.builds(ToolUsed, st.text(), st.text(), st.text(), st.text()),
)


@pytest.mark.parametrize("config", [CONFIG, RealtimeConfig()])
def test_configurations(config: RealtimeConfig) -> None:
    """Nested values and all; what was not said stays unsaid."""
    wish = ChangeWish(config, "You are a \ud83d baker now.")

    assert records.read_wish(records.write_wish(wish)) == wish


@given(ITEMS)
def test_items_of_a_conversation(item: HistoryItem) -> None:
    """Kinds with the same fields are told apart."""
    assert records.read_item(records.write_item(item)) == item


@pytest.mark.parametrize(
    "verdict", [leg.Hangup(), leg.Hangup("Goodbye."), leg.Transfer("+15005550006", "One moment.")]
)
def test_verdicts(verdict: leg.Verdict) -> None:
    """What becomes of a call."""
    assert records.read_verdict(records.write_verdict(verdict)) == verdict


def test_what_a_newer_version_added_is_passed_over() -> None:
    """A rolling deploy has both versions at work on the same records."""
    item = records.read_item(b'{"kind": "caller", "text": "Hello.", "mood": "sunny"}')

    assert item == CallerSaid("Hello.")


@pytest.mark.parametrize(
    "text", [b"", b"[]", b'"caller"', b"{}", b'{"kind": "ghost"}', b'{"kind": "caller"}', b"\xff"]
)
def test_what_cannot_be_read_is_a_store_error(text: bytes) -> None:
    """And nothing else, whatever lies there."""
    with pytest.raises(StoreError):
        records.read_item(text)


def test_a_broken_configuration_does_not_quote_itself() -> None:
    """The error names the kind of trouble and no instruction."""
    with pytest.raises(StoreError) as refused:
        records.read_wish(b'{"change": {"instruction": {"secret": "words"}}}')

    assert "words" not in str(refused.value)
