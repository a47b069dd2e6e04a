"""Our words as Gemini's messages. The fake server's rules have to let each of them pass."""

from __future__ import annotations

import base64
import json
from typing import Any

import pytest

from bridge.errors import UnsupportedConfig
from bridge.ports import client_events as client
from bridge.ports import server_events as event
from bridge.ports.client_events import ClientEvent
from bridge.ports.model import ToolResponse
from bridge.ports.server_events import Drop
from bridge.ports.session import RealtimeConfig
from bridge.wire.gemini import GeminiTranslator, capabilities_of
from tests.fakes.gemini_rules import read_message

PCM = b"\x01\x00\x02\x00"
VOICE = {"mimeType": "audio/pcm;rate=24000", "data": base64.b64encode(PCM).decode()}


def translator(model: str = "gemini-3.8-live", **more: Any) -> GeminiTranslator:
    return GeminiTranslator(capabilities_of(model), **more)


def written(words: GeminiTranslator, said: ClientEvent) -> list[dict[str, Any]]:
    texts = words.write(said)
    for text in texts:
        read_message(text)
    return [json.loads(text) for text in texts]


def speaking(words: GeminiTranslator) -> GeminiTranslator:
    """In the middle of an answer."""
    words.read(json.dumps({"serverContent": {"modelTurn": {"parts": [{"inlineData": VOICE}]}}}))
    return words


def calling(words: GeminiTranslator, *calls: tuple[str, str]) -> GeminiTranslator:
    made = [{"id": call_id, "name": name} for call_id, name in calls]
    words.read(json.dumps({"toolCall": {"functionCalls": made}}))
    return words


def note(text: str) -> list[dict[str, Any]]:
    return [{"role": "user", "parts": [{"text": f"[Note, not from the caller] {text}"}]}]


def test_audio_says_its_rate() -> None:
    """One path, one order, and 16 kHz in every message (D27)."""
    before, behind = translator().envelope
    message = json.loads(before + base64.b64encode(PCM) + behind)

    assert message == {
        "realtimeInput": {
            "audio": {
                "data": base64.b64encode(PCM).decode(),
                "mimeType": "audio/pcm;rate=16000",
            }
        }
    }
    read_message(json.dumps(message))


@pytest.mark.parametrize("respond", [True, False])
def test_a_message_asks_for_an_answer_only_when_it_says_so(respond: bool) -> None:
    """D31."""
    words = translator()

    (message,) = written(words, client.Message("user", "Hello.", respond))

    assert message["clientContent"] == {
        "turns": [{"role": "user", "parts": [{"text": "Hello."}]}],
        "turnComplete": respond,
    }
    assert words.owes is respond


def test_a_message_of_the_system_is_a_note() -> None:
    (message,) = written(translator(), client.Message("system", "He is a regular."))

    assert message["clientContent"]["turns"] == note("He is a regular.")


def test_generation_3_1_takes_text_as_realtime_input() -> None:
    words = translator("gemini-3.1-flash-live-preview")

    (asked,) = written(words, client.Message("user", "Hello.", respond=True))
    (told,) = written(words, client.Message("system", "He is a regular."))
    (said,) = written(words, client.Message("assistant", "Good morning.", respond=True))
    (wish,) = written(words, client.ResponseCreate("Greet the caller."))

    assert asked == {"realtimeInput": {"text": "Hello."}}
    assert told["realtimeInput"]["text"].startswith("No answer is needed")
    assert "You said before: Good morning." in said["realtimeInput"]["text"]
    assert "Greet the caller." in wish["realtimeInput"]["text"]


def test_a_response_is_asked_for_by_a_turn_of_its_own() -> None:
    words = translator()

    (greeting,) = written(words, client.ResponseCreate("Greet the caller."))
    (plain,) = written(words, client.ResponseCreate())

    assert greeting["clientContent"] == {"turns": note("Greet the caller."), "turnComplete": True}
    assert plain["clientContent"] == {"turns": note("Please speak now."), "turnComplete": True}
    assert words.owes


def test_all_answers_travel_in_one_message_with_their_names() -> None:
    """What is no object becomes one (D30)."""
    words = calling(translator(), ("c-1", "hours"), ("c-2", "count"), ("c-3", "note"))

    (text,) = words.write_answers(
        [
            ToolResponse("c-1", {"opens": 7}),
            ToolResponse("c-2", [1, 2]),
            ToolResponse("c-3", None),
        ]
    )

    read_message(text)
    assert json.loads(text)["toolResponse"]["functionResponses"] == [
        {"id": "c-1", "name": "hours", "response": {"opens": 7}},
        {"id": "c-2", "name": "count", "response": {"result": [1, 2]}},
        {"id": "c-3", "name": "note", "response": {"result": None}},
    ]


def test_a_call_that_nobody_waits_for_is_not_answered() -> None:
    """Taken back, answered before, or another session's: the server would close on it."""
    words = calling(translator(), ("c-1", "hours"), ("c-2", "hours"))
    words.read('{"toolCallCancellation": {"ids": ["c-1"]}}')
    first = words.write_answers([ToolResponse("c-1", 1), ToolResponse("c-2", 2)])

    again = words.write_answers([ToolResponse("c-2", 2), ToolResponse("unheard-of", 3)])

    assert len(json.loads(first[0])["toolResponse"]["functionResponses"]) == 1
    assert again == []


def test_the_model_is_stopped_where_there_is_a_word_for_it() -> None:
    """And where there is none, `cut` keeps the rest of the turn from the caller (D17)."""
    newer = speaking(translator())
    without = speaking(translator("gemini-3.1-flash-live-preview"))

    assert written(newer, client.ResponseCancel()) == [{"clientContent": {"turnComplete": False}}]
    assert written(without, client.ResponseCancel()) == []
    for words in (newer, without):
        assert event.Interrupted("resp_1") in words.cut()
        assert not words.owes


def test_with_nothing_to_stop_nothing_is_said() -> None:
    assert written(translator(), client.ResponseCancel()) == []


def test_an_answer_that_has_not_begun_can_be_stopped() -> None:
    words = translator()
    words.write(client.ResponseCreate())

    assert written(words, client.ResponseCancel()) == [{"clientContent": {"turnComplete": False}}]
    assert words.cut() == []
    assert not words.owes


def test_a_pause_of_the_audio_is_told_where_the_server_knows_the_word() -> None:
    known = written(translator(), client.InputAudioBufferCommit())
    silence = written(translator(ends_audio=False), client.InputAudioBufferCommit())

    assert known == [{"realtimeInput": {"audioStreamEnd": True}}]
    assert base64.b64decode(silence[0]["realtimeInput"]["audio"]["data"]) == bytes(32_000)


def test_turns_by_hand_begin_and_end_in_pairs() -> None:
    words = translator(by_hand=True)

    begun = written(words, client.AudioDelta(PCM))
    more = written(words, client.AudioDelta(PCM))
    ended = written(words, client.InputAudioBufferCommit())
    again = written(words, client.InputAudioBufferCommit())

    assert begun[0] == {"realtimeInput": {"activityStart": {}}}
    assert [next(iter(message["realtimeInput"])) for message in begun[1:] + more] == ["audio"] * 2
    assert ended == [{"realtimeInput": {"activityEnd": {}}}]
    assert again == []
    assert words.owes


def test_a_turn_committed_by_hand_is_answered_without_being_asked() -> None:
    """So the response that is asked for behind a commit is on its way already."""
    words = translator(by_hand=True)
    words.write(client.AudioDelta(PCM))
    words.write(client.InputAudioBufferCommit())

    assert written(words, client.ResponseCreate()) == []
    assert len(written(words, client.ResponseCreate())) == 1


def test_by_hand_the_callers_activity_stops_the_model() -> None:
    words = speaking(translator(by_hand=True))

    assert written(words, client.ResponseCancel()) == [{"realtimeInput": {"activityStart": {}}}]
    assert len(written(words, client.AudioDelta(PCM))) == 1


def test_truncation_is_the_servers_own_affair() -> None:
    assert written(translator(), client.ItemTruncate("item_1", 400)) == []


@pytest.mark.parametrize(
    "said",
    [
        client.SessionUpdate({"voice": "marin"}),
        client.ConversationItemCreate({"type": "message"}),
        client.InputAudioBufferClear(),
        client.UpdateSession(RealtimeConfig()),
    ],
)
def test_what_gemini_has_no_word_for_is_refused(said: ClientEvent) -> None:
    """Rather than dropped in silence (D25)."""
    with pytest.raises(UnsupportedConfig):
        translator().write(said)


def test_the_server_owes_an_answer_until_it_is_produced() -> None:
    """Not while it waits for our tools, and not while it thinks that it is being heard."""
    words = calling(speaking(translator()), ("c-1", "hours"))
    waiting = words.owes
    words.write_answers([ToolResponse("c-1", "seven")])
    answered = words.owes
    words.read('{"serverContent": {"generationComplete": true}}')
    produced = words.owes
    words.read('{"serverContent": {"turnComplete": true}}')

    assert (waiting, answered, produced, words.owes) == (False, True, False, False)


def test_a_tool_may_be_answered_when_the_turn_is_over() -> None:
    """Models that call without waiting end their turn first, and begin another for the answer."""
    words = calling(translator(), ("c-1", "hours"))
    words.read('{"serverContent": {"turnComplete": true}}')

    words.write_answers([ToolResponse("c-1", "seven")])
    owed = words.owes
    events = words.read('{"serverContent": {"turnComplete": true}}')

    assert owed
    assert [type(told) for told in events] == [event.ResponseCreated, event.ResponseDone]
    assert not words.owes


def test_any_word_after_the_question_will_do() -> None:
    """
    A model may prefer not to answer: its silence then is no broken connection. A session
    that cannot be resumed just now is busy, and that is no word.
    """
    words = translator()
    words.write(client.ResponseCreate())
    asked = words.owes
    words.read('{"sessionResumptionUpdate": {}}')
    busy = words.owes
    words.read('{"sessionResumptionUpdate": {"newHandle": "h", "resumable": true}}')

    assert asked
    assert busy
    assert not words.owes


def test_a_model_that_thinks_owes_nothing() -> None:
    words = speaking(translator("gemini-3.8-live-extended-thinking"))
    words.read('{"serverContent": {"turnComplete": true, "interactionStatus": "IN_PROGRESS"}}')

    assert not words.owes


def test_an_announced_end_is_the_end_of_the_sessions_time() -> None:
    words = translator()
    before = words.read_close(1001, "")
    words.read('{"goAway": {"timeLeft": "5s"}}')

    assert before.drop is Drop.LOST
    assert words.read_close(1001, "").drop is Drop.EXPIRED


def test_what_was_understood_is_told_before_the_end() -> None:
    words = translator()
    words.read('{"serverContent": {"inputTranscription": {"text": "I want"}}}')

    assert words.finish() == [event.InputTranscriptDone("I want", "item_1")]
    assert words.finish() == []
