"""Every server event is read, nothing raises, and a tool call is told once."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from bridge.ports import server_events as event
from bridge.ports.server_events import ErrorInfo, ResponseStatus, ServerEvent, Severity
from bridge.wire.openai.server import BETA_NAMES, ServerReader
from tests.fakes.openai.schema import SERVER_TYPES, server_problem
from tests.wire.openai.examples import DONE, EXAMPLES, ID, Frame


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
        (
            '{"type":"response.output_audio.delta","item_id":"i"}',
            "malformed response.output_audio.delta",
        ),
        (
            '{"type":"response.output_audio.delta","item_id":"i","delta":"?"}',
            "malformed response.output_audio.delta",
        ),
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


@settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
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


@settings(deadline=None)
@given(st.text() | st.binary())
def test_no_message_raises(message: str | bytes) -> None:
    """Not even noise."""
    assert len(ServerReader().read(message)) == 1
