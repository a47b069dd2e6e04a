"""An example of each server event, and what it is read as (None: Unknown)."""

from __future__ import annotations

from typing import Any

from bridge.ports import server_events as event
from bridge.ports.server_events import ErrorInfo, ResponseStatus, ServerEvent, Severity
from tests.fakes.openai.configuration import default_session

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
