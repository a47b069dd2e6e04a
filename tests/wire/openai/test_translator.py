"""What we say is what the official types allow, and truncation knows its item."""

from __future__ import annotations

import base64
import json
from typing import Any

import pytest

from bridge.audio.formats import PCM16_24K, ULAW_8K
from bridge.errors import UnsupportedConfig
from bridge.ports import client_events as client
from bridge.ports.client_events import ClientEvent
from bridge.ports.conversation import CallerSaid
from bridge.ports.model import ToolResponse
from bridge.ports.server_events import Drop
from bridge.ports.session import RealtimeConfig
from bridge.wire.openai.translator import OpenAITranslator
from tests.fakes.openai.schema import client_problem


def translator() -> OpenAITranslator:
    return OpenAITranslator(ULAW_8K)


def frames(event: ClientEvent, by: OpenAITranslator | None = None) -> list[dict[str, Any]]:
    """What is sent for an event; every frame is well-formed."""
    read = [json.loads(message) for message in (by or translator()).write(event)]
    assert [client_problem(frame) for frame in read] == [None] * len(read)
    return read


def kinds(event: ClientEvent) -> list[str]:
    return [frame["type"] for frame in frames(event)]


def heard(item_id: str, ms: int) -> str:
    """A server's frame with `ms` of mu-law in it."""
    delta = base64.b64encode(bytes(ms * 8)).decode()
    words = {"type": "response.output_audio.delta", "item_id": item_id, "delta": delta}
    return json.dumps(words)


@pytest.mark.parametrize(
    ("event", "kind"),
    [
        (client.SessionUpdate({"instructions": "x"}), "session.update"),
        (client.AudioDelta(b"\xff"), "input_audio_buffer.append"),
        (client.InputAudioBufferCommit(), "input_audio_buffer.commit"),
        (client.InputAudioBufferClear(), "input_audio_buffer.clear"),
        (
            client.ConversationItemCreate(
                {"type": "function_call_output", "call_id": "c", "output": ""}
            ),
            "conversation.item.create",
        ),
        (client.ResponseCreate(), "response.create"),
        (client.ResponseCancel(), "response.cancel"),
        (client.Message("user", "hello"), "conversation.item.create"),
    ],
)
def test_every_event_has_its_word(event: ClientEvent, kind: str) -> None:
    """One frame each."""
    assert kinds(event) == [kind]


def test_instructions_for_one_response() -> None:
    """They are the response's, not the session's."""
    assert frames(client.ResponseCreate("Be brief."))[0]["response"] == {
        "instructions": "Be brief."
    }


def test_a_message_may_want_an_answer() -> None:
    """Then a response is asked for right behind it."""
    assert kinds(client.Message("user", "hello", respond=True)) == [
        "conversation.item.create",
        "response.create",
    ]


@pytest.mark.parametrize(
    ("role", "written", "content"),
    [
        ("user", "user", "input_text"),
        ("assistant", "assistant", "output_text"),
        ("model", "assistant", "output_text"),
        ("system", "system", "input_text"),
        ("developer", "system", "input_text"),
    ],
)
def test_roles(role: str, written: str, content: str) -> None:
    """Each role has its own word for a text."""
    item = frames(client.Message(role, "hello"))[0]["item"]

    assert (item["role"], item["content"][0]["type"]) == (written, content)


@pytest.mark.parametrize(
    "event", [client.Message("tool", "x"), client.UpdateSession(RealtimeConfig())]
)
def test_what_has_no_word_is_refused(event: ClientEvent) -> None:
    """Rather than sent as something else."""
    with pytest.raises(UnsupportedConfig):
        translator().write(event)


def test_caller_audio() -> None:
    """Base64 in a frame without anything else."""
    before, behind = translator().envelope
    audio = base64.b64encode(b"\x00\xffab")
    expected = {"type": "input_audio_buffer.append", "audio": audio.decode()}

    assert json.loads(before + audio + behind) == expected
    assert frames(client.AudioDelta(b"\x00\xffab")) == [expected]


def test_every_request_can_be_told_from_the_others() -> None:
    """Errors name the event that they answer."""
    speaker = translator()
    ids = [frames(client.ResponseCreate(), speaker)[0]["event_id"] for _ in range(3)]

    assert len(set(ids)) == 3


def test_answers_to_parallel_calls_ask_for_nothing() -> None:
    """One item each, and no response: whoever answers decides when the model goes on."""
    messages = translator().write_answers([ToolResponse("a", 1), ToolResponse("b", "two")])
    items = [json.loads(message)["item"] for message in messages]

    assert [(item["call_id"], item["output"]) for item in items] == [("a", "1"), ("b", "two")]
    assert all(client_problem(json.loads(message)) is None for message in messages)


def test_a_text_that_no_encoding_takes() -> None:
    """Half a character is escaped, not a crash."""
    message = translator().write(client.Message("user", "a\ud800"))[0]

    assert message.encode()


def test_an_update_and_a_history_can_be_recognised() -> None:
    """By the event's id, and by the last item's."""
    speaker = translator()
    event_id, message = speaker.write_update({"instructions": "x"})
    last, messages = speaker.write_history([CallerSaid("a"), CallerSaid("b")])

    assert json.loads(message)["event_id"] == event_id
    assert json.loads(messages[-1])["item"]["id"] == last
    assert speaker.write_history([]) == ("", [])


# Truncation.


def test_an_item_is_cut_where_the_caller_stopped_hearing_it() -> None:
    """In whole milliseconds of this item's own audio."""
    speaker = translator()
    speaker.read(heard("a", 400))

    assert frames(client.ItemTruncate("a", 150), speaker) == [
        {
            "event_id": "ours_1",
            "type": "conversation.item.truncate",
            "item_id": "a",
            "content_index": 0,
            "audio_end_ms": 150,
        }
    ]


def test_no_item_is_cut_behind_its_end() -> None:
    """What was played is clamped to what was received of this item, not of the response."""
    speaker = translator()
    speaker.read(heard("a", 400))
    speaker.read(heard("b", 200))
    speaker.read(heard("b", 100))

    assert frames(client.ItemTruncate("a", 700), speaker)[0]["audio_end_ms"] == 400
    assert frames(client.ItemTruncate("b", 700), speaker)[0]["audio_end_ms"] == 300


def test_an_item_that_was_heard_to_its_end_keeps_its_transcript() -> None:
    """Truncating would delete the text of what the caller did hear."""
    speaker = translator()
    speaker.read(heard("a", 400))
    speaker.read('{"type":"response.output_audio.done","item_id":"a"}')

    assert frames(client.ItemTruncate("a", 400), speaker) == []
    assert frames(client.ItemTruncate("a", 399), speaker)[0]["audio_end_ms"] == 399


def test_an_item_of_which_nothing_was_heard_goes() -> None:
    """It was never said."""
    speaker = translator()
    speaker.read(heard("a", 400))

    assert frames(client.ItemTruncate("a", 0), speaker)[0]["type"] == "conversation.item.delete"


def test_an_item_that_is_not_of_this_session() -> None:
    """The provider does not know it; nothing is sent."""
    assert frames(client.ItemTruncate("elsewhere", 100)) == []


def test_lengths_are_of_the_session_s_own_format() -> None:
    """48 bytes are a millisecond of PCM at 24 kHz."""
    speaker = OpenAITranslator(PCM16_24K)
    speaker.read(heard("a", 600))  # 4800 bytes

    assert frames(client.ItemTruncate("a", 5_000), speaker)[0]["audio_end_ms"] == 100


def test_old_items_are_forgotten() -> None:
    """A session of an hour does not remember its first words' lengths."""
    speaker = translator()
    for number in range(300):
        speaker.read(heard(f"item {number}", 20))

    assert frames(client.ItemTruncate("item 0", 10), speaker) == []
    assert frames(client.ItemTruncate("item 299", 10), speaker)


# What was read is remembered.


def test_the_voice_is_known_to_have_been_heard() -> None:
    """From the first audio on."""
    speaker = translator()
    before = speaker.spoken
    speaker.read(heard("a", 20))

    assert (before, speaker.spoken) == (False, True)


def test_an_error_before_the_end_explains_it() -> None:
    """A close code of 1000 after `session_expired` is an expiry."""
    speaker = translator()
    speaker.read('{"type":"error","error":{"type":"x","message":"","code":"session_expired"}}')

    assert speaker.read_close(1000, "").drop is Drop.EXPIRED
