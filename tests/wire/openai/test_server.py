"""Every server event is read, nothing raises, and a tool call is told once."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bridge.ports import server_events as event
from bridge.ports.server_events import ErrorInfo, ResponseStatus, ServerEvent, Severity
from bridge.wire.openai.server import BETA_NAMES, ServerReader
from tests.fakes.openai.configuration import default_session
from tests.fakes.openai.schema import SERVER_TYPES, server_problem

Frame = dict[str, Any]

ID = {"event_id": "e"}
ITEM: Frame = {
    "id": "i",
    "type": "message",
    "role": "assistant",
    "content": [{"type": "output_audio", "transcript": "Hello."}],
}
CALL: Frame = {
    "id": "i",
    "type": "function_call",
    "status": "completed",
    "call_id": "c",
    "name": "hours",
    "arguments": '{"day": 1}',
}
SESSION = default_session("sess", "gpt-realtime", 3_600)
PLACE = {"response_id": "r", "item_id": "i", "output_index": 1, "content_index": 2}
CALL_PLACE = {"response_id": "r", "item_id": "i", "output_index": 1, "call_id": "c"}
MCP_PLACE = {"response_id": "r", "item_id": "i", "output_index": 1}
RESPONSE: Frame = {"id": "r", "status": "in_progress", "output": []}
DONE: Frame = {"id": "r", "status": "completed", "output": [ITEM]}
TRANSCRIPTION = {"item_id": "i", "content_index": 0}
USAGE = {"type": "duration", "seconds": 1.5}

# The address of a delta: response, output index, content index, event.
AT = ("r", 1, 2, "e")

EXAMPLES: list[tuple[str, Frame, list[ServerEvent] | None]] = [
    ("session.created", {"session": SESSION}, [event.SessionCreated(SESSION, "e")]),
    ("session.updated", {"session": SESSION}, [event.SessionUpdated(SESSION, "e")]),
    (
        "error",
        {"error": {"type": "t", "message": "m", "code": "c", "param": "p", "event_id": "ours"}},
        [event.Error(ErrorInfo("t", "m", "c", "p", "ours"), Severity.RETRY, False, "e")],
    ),
    (
        "input_audio_buffer.speech_started",
        {"item_id": "i", "audio_start_ms": 40},
        [event.SpeechStarted(40, "i", "e")],
    ),
    (
        "input_audio_buffer.speech_stopped",
        {"item_id": "i", "audio_end_ms": 90},
        [event.SpeechStopped(90, "i", "e")],
    ),
    ("input_audio_buffer.committed", {"item_id": "i"}, [event.AudioCommitted("i", "e")]),
    ("input_audio_buffer.cleared", {}, [event.AudioCleared("e")]),
    ("conversation.item.added", {"item": ITEM}, [event.ItemCreated(ITEM, "e")]),
    ("response.created", {"response": RESPONSE}, [event.ResponseCreated("r", RESPONSE, "e")]),
    (
        "response.done",
        {"response": DONE},
        [event.ResponseDone("r", ResponseStatus.COMPLETED, "", DONE, "e")],
    ),
    (
        "response.output_item.added",
        {"response_id": "r", "output_index": 1, "item": ITEM},
        [event.OutputItemAdded("r", ITEM, 1, "e")],
    ),
    (
        "response.output_item.done",
        {"response_id": "r", "output_index": 1, "item": ITEM},
        [event.OutputItemDone("r", ITEM, 1, "e")],
    ),
    (
        "response.output_audio.delta",
        {**PLACE, "delta": "AP8="},
        [event.AudioDelta("i", b"\x00\xff", *AT)],
    ),
    ("response.output_audio.done", PLACE, [event.AudioDone("i", *AT)]),
    ("response.output_text.delta", {**PLACE, "delta": "x"}, [event.TextDelta("i", "x", *AT)]),
    ("response.output_text.done", {**PLACE, "text": "x"}, [event.TextDone("i", "x", *AT)]),
    (
        "response.output_audio_transcript.delta",
        {**PLACE, "delta": "x"},
        [event.TranscriptDelta("i", "x", *AT)],
    ),
    (
        "response.output_audio_transcript.done",
        {**PLACE, "transcript": "x"},
        [event.TranscriptDone("i", "x", *AT)],
    ),
    (
        "response.function_call_arguments.delta",
        {**CALL_PLACE, "delta": "{"},
        [event.FunctionCallDelta("c", "{", "r", "i", 1, "e")],
    ),
    (
        "response.function_call_arguments.done",
        {**CALL_PLACE, "name": "hours", "arguments": "{}"},
        [event.FunctionCallDone("c", "hours", "{}", "r", "i", 1, "e")],
    ),
    (
        "rate_limits.updated",
        {
            "rate_limits": [
                {"name": "tokens", "limit": 9, "remaining": 8, "reset_seconds": 1.5},
            ]
        },
        [event.RateLimitsUpdated((event.RateLimit("tokens", 9, 8, 1.5),), "e")],
    ),
    (
        "conversation.item.input_audio_transcription.delta",
        {**TRANSCRIPTION, "delta": "x"},
        [event.InputTranscriptDelta("x", "i", "e")],
    ),
    (
        "conversation.item.input_audio_transcription.completed",
        {**TRANSCRIPTION, "transcript": "x", "usage": USAGE},
        [event.InputTranscriptDone("x", "i", "e"), event.Usage(USAGE, "e")],
    ),
    (
        "conversation.item.input_audio_transcription.failed",
        {**TRANSCRIPTION, "error": {"type": "t", "code": "c", "message": "m"}},
        [event.Error(ErrorInfo("t", "m", "c"), Severity.RETRY, False, "e")],
    ),
    # Those that we have no word for keep their payload.
    ("conversation.created", {"conversation": {"id": "v"}}, None),
    ("conversation.item.done", {"item": ITEM}, None),
    ("conversation.item.retrieved", {"item": ITEM}, None),
    ("conversation.item.deleted", {"item_id": "i"}, None),
    (
        "conversation.item.truncated",
        {"item_id": "i", "content_index": 0, "audio_end_ms": 5},
        None,
    ),
    (
        "conversation.item.input_audio_transcription.segment",
        {**TRANSCRIPTION, "id": "s", "text": "x", "speaker": "a", "start": 0.0, "end": 1.0},
        None,
    ),
    (
        "input_audio_buffer.timeout_triggered",
        {"item_id": "i", "audio_start_ms": 0, "audio_end_ms": 9},
        None,
    ),
    ("input_audio_buffer.dtmf_event_received", {"event": "5", "received_at": 1}, None),
    ("response.content_part.added", {**PLACE, "part": {"type": "audio"}}, None),
    ("response.content_part.done", {**PLACE, "part": {"type": "audio"}}, None),
    ("mcp_list_tools.in_progress", {"item_id": "i"}, None),
    ("mcp_list_tools.completed", {"item_id": "i"}, None),
    ("mcp_list_tools.failed", {"item_id": "i"}, None),
    ("response.mcp_call_arguments.delta", {**MCP_PLACE, "delta": "{"}, None),
    ("response.mcp_call_arguments.done", {**MCP_PLACE, "arguments": "{}"}, None),
    ("response.mcp_call.in_progress", {"item_id": "i", "output_index": 0}, None),
    ("response.mcp_call.completed", {"item_id": "i", "output_index": 0}, None),
    ("response.mcp_call.failed", {"item_id": "i", "output_index": 0}, None),
    ("output_audio_buffer.started", {"response_id": "r"}, None),
    ("output_audio_buffer.stopped", {"response_id": "r"}, None),
    ("output_audio_buffer.cleared", {"response_id": "r"}, None),
]


def read(kind: str, **fields: Any) -> list[ServerEvent]:
    return ServerReader().read(json.dumps({"type": kind, **ID, **fields}))


@pytest.mark.parametrize(("kind", "fields", "expected"), EXAMPLES, ids=[e[0] for e in EXAMPLES])
def test_every_event_of_the_protocol(
    kind: str, fields: Frame, expected: list[ServerEvent] | None
) -> None:
    """The official types allow the example, and it is read as what it is."""
    frame = {"type": kind, **ID, **fields}
    if "event_id" not in SERVER_TYPES[kind].model_fields:
        del frame["event_id"]
    assert server_problem(frame) is None

    events = ServerReader().read(json.dumps(frame))

    assert events == (expected or [event.Unknown(kind, frame, frame.get("event_id", ""))])


def test_no_event_of_the_protocol_is_missing_here() -> None:
    """All of the official types; the one left over from the beta protocol is an alias."""
    assert {kind for kind, _, _ in EXAMPLES} == SERVER_TYPES.keys() - BETA_NAMES.keys()


@pytest.mark.parametrize("beta", BETA_NAMES)
def test_names_of_the_beta_protocol(beta: str) -> None:
    """The same event by its older name."""
    fields = next(fields for kind, fields, _ in EXAMPLES if kind == BETA_NAMES[beta])

    assert read(beta, **fields) == read(BETA_NAMES[beta], **fields)


def test_a_dialect_s_own_names() -> None:
    """Another vendor's word for an event is an entry in a table."""
    reader = ServerReader({"talk.started": "input_audio_buffer.speech_started"})

    assert reader.read('{"type":"talk.started"}') == [event.SpeechStarted()]


def test_bytes_are_read_like_text() -> None:
    """Some gateways send JSON in binary frames."""
    assert ServerReader().read(b'{"type":"input_audio_buffer.cleared"}') == [event.AudioCleared()]


# How responses end.


@pytest.mark.parametrize("reason", ["turn_detected", "client_cancelled"])
def test_a_response_that_was_cut(reason: str) -> None:
    """First the interruption, then the end."""
    details = {"type": "cancelled", "reason": reason}
    events = read(
        "response.done", response={**DONE, "status": "cancelled", "status_details": details}
    )

    assert [type(each).__name__ for each in events] == ["Interrupted", "ResponseDone"]
    assert events[0] == event.Interrupted("r", "e")
    assert isinstance(events[1], event.ResponseDone)
    assert (events[1].status, events[1].reason) == (ResponseStatus.CANCELLED, reason)


def test_speech_alone_interrupts_nothing() -> None:
    """Whether the model stops is the provider's to say."""
    assert read("input_audio_buffer.speech_started") == [event.SpeechStarted(0, "", "e")]


def test_a_response_that_failed() -> None:
    """Its error is an event like any other, and the reason of the end."""
    error = {"type": "server_error", "code": "rate_limit_exceeded", "message": "m"}
    details = {"type": "failed", "error": error}
    events = read("response.done", response={**DONE, "status": "failed", "status_details": details})

    assert events[0] == event.Error(
        ErrorInfo("server_error", "m", "rate_limit_exceeded"), Severity.RETRY, False, "e"
    )
    assert isinstance(events[1], event.ResponseDone)
    assert (events[1].status, events[1].reason) == (
        ResponseStatus.FAILED,
        "rate_limit_exceeded",
    )


def test_what_a_response_cost() -> None:
    """Usage is told beside the end, in the provider's own words."""
    events = read("response.done", response={**DONE, "usage": {"total_tokens": 7}})

    assert events[-1] == event.Usage({"total_tokens": 7}, "e")


@pytest.mark.parametrize("status", ["exploded", 7, None])
def test_an_end_by_another_word_is_still_an_end(status: object) -> None:
    """Nobody waits for a response that is over."""
    events = read("response.done", response={**DONE, "status": status})

    assert isinstance(events[-1], event.ResponseDone)


def test_a_refused_response() -> None:
    """Another one is under way: no created and no done will come."""
    events = read(
        "error",
        error={
            "type": "invalid_request_error",
            "code": "conversation_already_has_active_response",
            "message": "",
        },
    )

    assert isinstance(events[0], event.Error)
    assert events[0].refused_response


# Tool calls.


def calls(*frames: Frame) -> list[event.FunctionCallDone]:
    """The calls that a reader makes of these frames."""
    reader = ServerReader()
    events = [each for frame in frames for each in reader.read(json.dumps(frame))]
    assert not [each for each in events if isinstance(each, event.BadFrame)]
    return [each for each in events if isinstance(each, event.FunctionCallDone)]


def added(call: Frame = CALL) -> Frame:
    item = {**call, "arguments": "", "status": "in_progress"}
    return {"type": "response.output_item.added", "response_id": "r", "item": item}


def arguments_done(**fields: Any) -> Frame:
    return {"type": "response.function_call_arguments.done", **CALL_PLACE, **fields}


def item_done(call: Frame = CALL) -> Frame:
    return {"type": "response.output_item.done", "response_id": "r", "item": call}


def response_done(*items: Frame) -> Frame:
    return {"type": "response.done", "response": {**DONE, "output": list(items)}}


def test_a_call_is_told_once() -> None:
    """However often the server names it."""
    done = arguments_done(name="hours", arguments='{"day": 1}')

    told = calls(added(), done, item_done(), response_done(CALL))

    assert [(each.name, each.arguments) for each in told] == [("hours", '{"day": 1}')]


def test_a_call_whose_name_was_left_out() -> None:
    """The item knew it before."""
    told = calls(added(), arguments_done(arguments='{"day": 1}'))

    assert [each.name for each in told] == ["hours"]


def test_a_call_that_only_its_item_knows() -> None:
    """Neither announced nor named: the finished item has it all."""
    told = calls(arguments_done(arguments="{}"), item_done())

    assert told == [event.FunctionCallDone("c", "hours", '{"day": 1}', "r", "i", 0, "")]


def test_a_call_that_only_the_response_knows() -> None:
    """Told before the response is done, so that the turn is not over yet."""
    reader = ServerReader()
    events = reader.read(json.dumps(response_done(CALL)))

    assert [type(each).__name__ for each in events] == ["FunctionCallDone", "ResponseDone"]


def test_a_call_that_was_cut_off() -> None:
    """The server says "done" of arguments that an interruption cut; that is no call."""
    cut = {**CALL, "status": "incomplete", "arguments": '{"da'}

    told = calls(
        added(), arguments_done(name="hours", arguments='{"da'), item_done(cut), response_done(cut)
    )

    assert told == []


def test_a_call_with_nonsense_for_arguments() -> None:
    """The model did write it, so it is a call, and it will be told what is wrong with it."""
    nonsense = {**CALL, "arguments": "[not json"}
    done = arguments_done(name="hours", arguments="[not json")

    told = calls(added(), done, item_done(nonsense))

    assert [each.arguments for each in told] == ["[not json"]


def test_parallel_calls() -> None:
    """Each is told."""
    other = {**CALL, "id": "j", "call_id": "d", "name": "menu"}

    told = calls(added(), added(other), item_done(), item_done(other))

    assert [(each.call_id, each.name) for each in told] == [("c", "hours"), ("d", "menu")]


# Frames that cannot be read.


@pytest.mark.parametrize(
    ("message", "reason"),
    [
        ("{", "not JSON"),
        (b"\xff\xfe", "not JSON"),
        ("[" * 100_000, "not JSON"),
        ("7", "not an event"),
        ('{"event":"x"}', "not an event"),
        ('{"type":["x"]}', "not an event"),
        ('{"type":"response.output_audio.delta","item_id":"i"}', "malformed an event"),
        ('{"type":"response.output_audio.delta","item_id":"i","delta":"?"}', "malformed an event"),
        ('{"type":"response.created","response":[]}', "malformed response.created"),
        (
            '{"type":"input_audio_buffer.speech_started","audio_start_ms":1e999}',
            "malformed input_audio_buffer.speech_started",
        ),
    ],
)
def test_a_bad_frame_is_an_event(message: str | bytes, reason: str) -> None:
    """It costs nothing but itself."""
    assert ServerReader().read(message) == [event.BadFrame(reason, len(message))]


def test_a_bad_frame_repeats_nothing() -> None:
    """Not even the beginning of it: there may be words in it that were spoken."""
    bad = ServerReader().read('{"type":"response.output_text.delta","delta":7,"text":"geheim äöü"}')

    assert "geheim" not in repr(bad)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(
                ["id", "item", "type", "response", "delta", "error", "output", "call_id"]
            ),
            inner,
            max_size=5,
        )
    ),
    max_leaves=8,
)


@given(
    st.sampled_from([kind for kind, _, _ in EXAMPLES]),
    st.dictionaries(
        st.sampled_from(
            [
                "item",
                "response",
                "error",
                "delta",
                "item_id",
                "output_index",
                "session",
                "rate_limits",
                "call_id",
                "arguments",
                "name",
                "transcript",
                "audio_start_ms",
            ]
        ),
        JSON,
    ),
)
def test_no_frame_raises(kind: str, fields: Frame) -> None:
    """Whatever a server invents."""
    reader = ServerReader()
    events = reader.read(json.dumps({**fields, "type": kind}))

    assert events or kind == "response.function_call_arguments.done"


@given(st.text() | st.binary())
def test_no_message_raises(message: str | bytes) -> None:
    """Not even noise."""
    assert len(ServerReader().read(message)) == 1
