"""Our client events in OpenAI's words, held against the official types."""

from __future__ import annotations

from typing import Any

import pytest
from openai.types.realtime import RealtimeClientEvent
from pydantic import TypeAdapter

from bridge.errors import UnsupportedConfig
from bridge.ports import client_events as client
from bridge.ports.client_events import ClientEvent
from bridge.ports.session import RealtimeConfig
from bridge.wire.openai.client import write_event

OFFICIAL: TypeAdapter[Any] = TypeAdapter(RealtimeClientEvent)


@pytest.mark.parametrize(
    ("event", "kinds"),
    [
        (client.SessionUpdate({"instructions": "Be brief."}), ["session.update"]),
        (client.InputAudioBufferCommit(), ["input_audio_buffer.commit"]),
        (client.InputAudioBufferClear(), ["input_audio_buffer.clear"]),
        (client.ResponseCreate(), ["response.create"]),
        (client.ResponseCreate("Say hello."), ["response.create"]),
        (client.ResponseCancel(), ["response.cancel"]),
        (client.Message("user", "Hello."), ["conversation.item.create"]),
        (
            client.Message("user", "Hello.", respond=True),
            ["conversation.item.create", "response.create"],
        ),
        (client.ItemTruncate("item_1", 420), ["conversation.item.truncate"]),
        (client.ItemTruncate("item_1", 0), ["conversation.item.delete"]),
    ],
)
def test_every_event_has_its_words(event: ClientEvent, kinds: list[str]) -> None:
    """The official types know each frame."""
    frames = write_event(event)

    assert [frame["type"] for frame in frames] == kinds
    for frame in frames:
        OFFICIAL.validate_python(frame)


@pytest.mark.parametrize(
    ("role", "content"),
    [("user", "input_text"), ("assistant", "output_text"), ("system", "input_text")],
)
def test_a_message_is_in_its_speakers_words(role: str, content: str) -> None:
    """What the assistant said is output, everything else input."""
    (frame,) = write_event(client.Message(role, "Hello."))

    assert frame["item"]["role"] == role
    assert frame["item"]["content"] == [{"type": content, "text": "Hello."}]


def test_instructions_of_one_response_are_under_the_key_that_is_read() -> None:
    """`response`, not `config`: the provider ignores what it does not know."""
    (frame,) = write_event(client.ResponseCreate("Say hello."))

    assert frame["response"] == {"instructions": "Say hello."}


@pytest.mark.parametrize(
    "event",
    [
        client.AudioDelta(b"\xff"),
        client.UpdateSession(RealtimeConfig()),
        client.Message("narrator", "Meanwhile"),
    ],
)
def test_what_has_no_words_is_refused(event: ClientEvent) -> None:
    """Rather than sent as something else."""
    with pytest.raises(UnsupportedConfig):
        write_event(event)
