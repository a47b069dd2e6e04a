"""What the server says, as our events. Every message here is one that Google's client reads."""

from __future__ import annotations

import base64
import json
from typing import Any

import pytest

from bridge.ports import server_events as event
from tests.wire.gemini.told import PCM, Told, voice


def test_one_message_may_say_everything() -> None:
    """The fields of a message are not exclusive; what ends comes last."""
    told = Told()

    events = told.read(
        serverContent={
            "modelTurn": voice(),
            "outputTranscription": {"text": "Yes."},
            "generationComplete": True,
            "turnComplete": True,
        },
        toolCall={"functionCalls": [{"id": "c", "name": "note", "args": {}}]},
        usageMetadata={"totalTokenCount": 7},
    )

    assert [type(told_event).__name__ for told_event in events] == [
        "ResponseCreated",
        "AudioDelta",
        "TranscriptDelta",
        "FunctionCallDone",
        "Usage",
        "AudioDone",
        "TranscriptDone",
        "ResponseDone",
    ]


def test_thoughts_are_never_told() -> None:
    """Neither as text nor as the beginning of a response (D27)."""
    told = Told()

    thought = told.content(modelTurn={"parts": [{"text": "They want bread.", "thought": True}]})
    text = told.content(modelTurn={"parts": [{"text": "Bread"}, {"text": "!"}]}, turnComplete=True)

    assert thought == []
    assert text == [
        event.ResponseCreated("resp_1"),
        event.TextDelta("item_1", "Bread", "resp_1"),
        event.TextDelta("item_1", "!", "resp_1"),
        event.TextDone("item_1", "Bread!", "resp_1"),
        event.ResponseDone("resp_1"),
    ]


def test_every_tool_call_of_a_message_is_told() -> None:
    """Not the first only (D20). The response stays open until the model has gone on."""
    told = Told()

    events = told.read(
        toolCall={
            "functionCalls": [
                {"id": "c-1", "name": "hours", "args": {"day": "Måndag"}},
                {"id": "c-2", "name": "hang_up"},
            ]
        }
    )

    assert events == [
        event.ResponseCreated("resp_1"),
        event.FunctionCallDone("c-1", "hours", '{"day": "Måndag"}', "resp_1", "item_1"),
        event.FunctionCallDone("c-2", "hang_up", "{}", "resp_1", "item_1"),
    ]
    assert told.turn.open


def test_a_call_without_an_id_gets_one() -> None:
    """Vertex AI may leave it out; we have to call it something."""
    events = Told().read(toolCall={"functionCalls": [{"name": "hours"}]})

    assert isinstance(events[-1], event.FunctionCallDone)
    assert events[-1].call_id == "call_1"


def test_calls_are_taken_back() -> None:
    told = Told()
    told.read(toolCall={"functionCalls": [{"id": "c-1", "name": "hours"}]})

    events = told.read(toolCallCancellation={"ids": ["c-1"]})

    assert events == [event.ToolCallCancelled(("c-1",))]
    assert not told.calls


@pytest.mark.parametrize(
    ("time_left", "expected"), [("9.5s", 9.5), ("60s", 60.0), ("0s", 0.0), (None, 0.0), ("soon", 0)]
)
def test_the_server_says_when_it_goes(time_left: str | None, expected: float) -> None:
    going = {} if time_left is None else {"timeLeft": time_left}

    assert Told().read(goAway=going) == [event.GoingAway(expected)]


@pytest.mark.parametrize(
    ("update", "token"),
    [
        ({"newHandle": "h-1", "resumable": True}, "h-1"),
        ({"newHandle": "h-1", "resumable": True, "lastConsumedClientMessageIndex": "12"}, "h-1"),
        ({"resumable": False}, None),
        ({}, None),
        ({"newHandle": "", "resumable": True}, None),
        ({"newHandle": "h-1"}, None),
    ],
)
def test_the_handle_counts_while_the_session_can_be_resumed(
    update: dict[str, Any], token: str | None
) -> None:
    """`newHandle` with `resumable`; none in the middle of an answer (D2)."""
    assert Told().read(sessionResumptionUpdate=update) == [event.ResumptionToken(token)]


def test_the_setup_is_confirmed() -> None:
    events = Told().read(setupComplete={"sessionId": "s-1"})

    assert events == [event.SessionCreated({"sessionId": "s-1"})]
    assert Told().read_raw('{"setup_complete": {}}') == [event.SessionCreated({})]


def test_speech_is_told_where_the_server_tells_it() -> None:
    told = Told()

    started = told.read(voiceActivity={"type": "ACTIVITY_START", "audioOffset": "1.25s"})
    stopped = told.read(voiceActivity={"voiceActivityType": "ACTIVITY_END"})
    signal = told.read(voiceActivityDetectionSignal={"vadSignalType": "VAD_SIGNAL_TYPE_SOS"})
    silence = told.read(voiceActivityDetectionSignal={"vadSignalType": "VAD_SIGNAL_TYPE_EOS"})

    assert started == [event.SpeechStarted(1250)]
    assert stopped == [event.SpeechStopped(0)]
    assert signal == [event.SpeechStarted()]
    assert silence == [event.SpeechStopped()]


def test_snake_case_is_read_as_well() -> None:
    events = Told().read_raw(
        json.dumps(
            {
                "server_content": {
                    "model_turn": {
                        "parts": [
                            {
                                "inline_data": {
                                    "mime_type": "audio/pcm;rate=24000",
                                    "data": base64.b64encode(PCM).decode(),
                                }
                            }
                        ]
                    },
                    "turn_complete": True,
                },
                "usage_metadata": {"total_token_count": 3},
            }
        )
    )

    assert events == [
        event.ResponseCreated("resp_1"),
        event.AudioDelta("item_1", PCM, "resp_1"),
        event.Usage({"total_token_count": 3}),
        event.AudioDone("item_1", "resp_1"),
        event.ResponseDone("resp_1"),
    ]


def test_what_we_have_no_word_for_keeps_its_payload() -> None:
    told = Told()

    unknown = told.read_raw('{"somethingNew": {"a": 1}}')
    grounding = told.content(groundingMetadata={"webSearchQueries": ["bread"]})
    code = told.content(modelTurn={"parts": [{"executableCode": {"code": "1"}}]})

    assert unknown == [event.Unknown("somethingNew", {"somethingNew": {"a": 1}})]
    assert grounding == [
        event.Unknown(
            "serverContent.groundingMetadata",
            {"groundingMetadata": {"webSearchQueries": ["bread"]}},
        )
    ]
    assert code == [
        event.Unknown("serverContent.modelTurn.part", {"executableCode": {"code": "1"}})
    ]


def test_an_error_in_words_is_an_error() -> None:
    frame = '{"error": {"code": 401, "message": "no", "status": "UNAUTHENTICATED"}}'
    (told,) = Told().read_raw(frame)

    assert told == event.Error(
        event.ErrorInfo("UNAUTHENTICATED", "no", "401"), event.Severity.FATAL
    )


@pytest.mark.parametrize(
    "frame",
    [
        "",
        "{",
        "[]",
        "7",
        "null",
        b"\xff\xfe\xff",
        '{"serverContent": []}',
        '{"serverContent": {"modelTurn": "x"}}',
        '{"serverContent": {"modelTurn": {"parts": {}}}}',
        '{"serverContent": {"modelTurn": {"parts": [7]}}}',
        '{"serverContent": {"inputTranscription": {"text": 7}}}',
        '{"toolCall": {"functionCalls": [[]]}}',
        '{"toolCall": {"functionCalls": [{"name": 7}]}}',
        '{"goAway": 3}',
        '{"sessionResumptionUpdate": {"newHandle": 4}}',
        '{"voiceActivity": {"type": "ACTIVITY_START", "audioOffset": "now"}}',
        "[" * 100_000,
        '{"a":' * 100_000,
    ],
)
def test_an_unreadable_frame_costs_nothing_but_itself(frame: str | bytes) -> None:
    """It is told as BadFrame without a word of what was in it, and the next one is read (D7)."""
    told = Told()

    events = told.read_raw(frame)

    assert any(isinstance(told_event, event.BadFrame) for told_event in events)
    assert told.content(modelTurn=voice())[0] == event.ResponseCreated("resp_1")


def test_no_depth_of_nesting_is_too_deep_to_survive() -> None:
    """Each is read or is a BadFrame, wherever Python's own limit lies."""
    told = Told()
    for depth in range(100, 2_000, 7):
        args = "[" * depth + "]" * depth
        frame = f'{{"toolCall": {{"functionCalls": [{{"name": "f", "args": {{"a": {args}}}}}]}}}}'

        assert told.read_raw(frame)


@pytest.mark.parametrize(
    ("mime_type", "data"),
    [
        ("audio/pcm;rate=24000", "no base64!"),
        ("audio/pcm;rate=24000", "AAA"),
        ("audio/pcm;rate=24000", base64.b64encode(b"odd").decode()),
        ("audio/pcm;rate=16000", "AAAA"),
        ("image/png", "AAAA"),
    ],
)
def test_audio_that_is_none_is_not_silence(mime_type: str, data: str) -> None:
    """A bad part is a BadFrame, not empty audio; its neighbours are heard (D27)."""
    parts = [{"inlineData": {"mimeType": mime_type, "data": data}}, *voice()["parts"]]
    frame = json.dumps({"serverContent": {"modelTurn": {"parts": parts}}})

    events = Told().read_raw(frame)

    assert [type(told_event) for told_event in events] == [
        event.BadFrame,
        event.ResponseCreated,
        event.AudioDelta,
    ]
