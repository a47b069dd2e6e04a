"""
What OpenAI tells us: its server events, and their names of the beta protocol, as ours.

Rule: no frame raises. One that cannot be read is a BadFrame whose text repeats nothing of
it; one that we have no word for is Unknown and keeps its payload.
"""

from __future__ import annotations

import binascii
import json
from collections.abc import Callable, Mapping
from typing import Any

from bridge.ports import server_events as event
from bridge.ports.server_events import ErrorInfo, ResponseStatus, ServerEvent
from bridge.wire.openai.calls import ToolCalls
from bridge.wire.openai.faults import ACTIVE_RESPONSE, severity_of
from bridge.wire.openai.voice import read_voice

__all__ = ["BETA_NAMES", "ServerReader"]

BETA_NAMES: Mapping[str, str] = {
    "conversation.item.created": "conversation.item.added",
    "response.audio.delta": "response.output_audio.delta",
    "response.audio.done": "response.output_audio.done",
    "response.audio_transcript.delta": "response.output_audio_transcript.delta",
    "response.audio_transcript.done": "response.output_audio_transcript.done",
    "response.text.delta": "response.output_text.delta",
    "response.text.done": "response.output_text.done",
    "transcription_session.updated": "session.updated",
}

_AUDIO = "response.output_audio.delta"

Frame = dict[str, Any]


class ServerReader:
    """One session's reader. `names` are other words of a dialect's for events of OpenAI's."""

    def __init__(self, names: Mapping[str, str] = BETA_NAMES) -> None:
        self._names = names
        self._calls = ToolCalls()
        voices = {kind for kind in {_AUDIO, *names} if names.get(kind, kind) == _AUDIO}
        self._voices = tuple(sorted(voices))

    def read(self, message: str | bytes) -> list[ServerEvent]:
        """What a message tells, in order."""
        if isinstance(message, str) and (voice := read_voice(message, self._voices)) is not None:
            return [event.AudioDelta(*voice)]
        try:
            frame = json.loads(message)
        except (ValueError, RecursionError):
            return [event.BadFrame("not JSON", len(message))]
        if not isinstance(frame, dict) or not isinstance(kind := frame.get("type"), str):
            return [event.BadFrame("not an event", len(message))]
        name = self._names.get(kind, kind)
        try:
            return self._read(name, frame)
        except (KeyError, TypeError, ValueError, AttributeError, OverflowError):
            # An event without a word of ours is not looked into, so this name is a known one.
            return [event.BadFrame(f"malformed {name}", len(message), _text(frame, "event_id"))]

    def _read(self, name: str, frame: Frame) -> list[ServerEvent]:
        match name:
            case "response.output_audio.delta":  # written in another way than usual
                return [_audio_delta(frame)]
            case "response.output_item.added":
                self._calls.announced(frame["item"])
                return [_item_added(frame)]
            case "response.function_call_arguments.done":
                return list(self._calls.arguments_done(frame))
            case "response.output_item.done":
                return [_item_done(frame), *self._calls.item_done(frame)]
            case "response.done":
                return [*self._calls.response_done(frame["response"]), *_response_done(frame)]
            case _:
                return _READERS.get(name, _unknown)(frame)


# Sessions and errors.


def _session_created(frame: Frame) -> list[ServerEvent]:
    return [event.SessionCreated(_object(frame, "session"), _text(frame, "event_id"))]


def _session_updated(frame: Frame) -> list[ServerEvent]:
    return [event.SessionUpdated(_object(frame, "session"), _text(frame, "event_id"))]


def _error(frame: Frame) -> list[ServerEvent]:
    return [_error_event(_object(frame, "error"), _text(frame, "event_id"))]


def _error_event(words: Mapping[str, Any], event_id: str) -> event.Error:
    error = ErrorInfo(
        _text(words, "type"),
        _text(words, "message"),
        _text(words, "code"),
        _text(words, "param"),
        _text(words, "event_id"),
    )
    refused = ACTIVE_RESPONSE in {error.code, error.type}
    return event.Error(error, severity_of(error), refused, event_id)


def _rate_limits(frame: Frame) -> list[ServerEvent]:
    limits = tuple(
        event.RateLimit(
            _text(limit, "name"),
            _number(limit, "limit"),
            _number(limit, "remaining"),
            float(limit.get("reset_seconds") or 0),
        )
        for limit in frame["rate_limits"]
    )
    return [event.RateLimitsUpdated(limits, _text(frame, "event_id"))]


def _unknown(frame: Frame) -> list[ServerEvent]:
    return [event.Unknown(frame["type"], frame, _text(frame, "event_id"))]


# The caller.


def _speech_started(frame: Frame) -> list[ServerEvent]:
    at = _number(frame, "audio_start_ms")
    return [event.SpeechStarted(at, _text(frame, "item_id"), _text(frame, "event_id"))]


def _speech_stopped(frame: Frame) -> list[ServerEvent]:
    at = _number(frame, "audio_end_ms")
    return [event.SpeechStopped(at, _text(frame, "item_id"), _text(frame, "event_id"))]


def _committed(frame: Frame) -> list[ServerEvent]:
    return [event.AudioCommitted(_text(frame, "item_id"), _text(frame, "event_id"))]


def _cleared(frame: Frame) -> list[ServerEvent]:
    return [event.AudioCleared(_text(frame, "event_id"))]


def _item_created(frame: Frame) -> list[ServerEvent]:
    return [event.ItemCreated(_object(frame, "item"), _text(frame, "event_id"))]


def _input_delta(frame: Frame) -> list[ServerEvent]:
    item, event_id = _text(frame, "item_id"), _text(frame, "event_id")
    return [event.InputTranscriptDelta(_text(frame, "delta"), item, event_id)]


def _input_done(frame: Frame) -> list[ServerEvent]:
    event_id = _text(frame, "event_id")
    done = event.InputTranscriptDone(_said(frame, "transcript"), _text(frame, "item_id"), event_id)
    return [done, *_usage(frame, event_id)]


def _input_failed(frame: Frame) -> list[ServerEvent]:
    return [_error_event(_object(frame, "error"), _text(frame, "event_id"))]


# The model.


def _response_created(frame: Frame) -> list[ServerEvent]:
    response = _object(frame, "response")
    return [event.ResponseCreated(_said(response, "id"), response, _text(frame, "event_id"))]


def _response_done(frame: Frame) -> list[ServerEvent]:
    response, event_id = _object(frame, "response"), _text(frame, "event_id")
    response_id = _said(response, "id")
    status = _status(response)
    details = _maybe(response, "status_details")
    error = _maybe(details, "error")
    reason = _text(details, "reason") or _text(error, "code") or _text(error, "type")
    events: list[ServerEvent] = []
    if status is ResponseStatus.CANCELLED:
        events.append(event.Interrupted(response_id, event_id))
    if error:
        events.append(_error_event(error, event_id))
    events.append(event.ResponseDone(response_id, status, reason, response, event_id))
    return [*events, *_usage(response, event_id)]


def _status(response: Mapping[str, Any]) -> ResponseStatus:
    """A response that is done is over, whatever word its end may have one day."""
    try:
        return ResponseStatus(response.get("status", "completed"))
    except ValueError:
        return ResponseStatus.FAILED


def _usage(frame: Mapping[str, Any], event_id: str) -> list[ServerEvent]:
    usage = frame.get("usage")
    return [event.Usage(usage, event_id)] if isinstance(usage, dict) else []


def _item_added(frame: Frame) -> event.OutputItemAdded:
    index = _number(frame, "output_index")
    response, event_id = _text(frame, "response_id"), _text(frame, "event_id")
    return event.OutputItemAdded(response, _object(frame, "item"), index, event_id)


def _item_done(frame: Frame) -> event.OutputItemDone:
    index = _number(frame, "output_index")
    response, event_id = _text(frame, "response_id"), _text(frame, "event_id")
    return event.OutputItemDone(response, _object(frame, "item"), index, event_id)


def _audio_delta(frame: Frame) -> event.AudioDelta:
    audio = binascii.a2b_base64(frame["delta"], strict_mode=True)
    return event.AudioDelta(_said(frame, "item_id"), audio, *_address(frame))


def _audio_done(frame: Frame) -> list[ServerEvent]:
    return [event.AudioDone(_said(frame, "item_id"), *_address(frame))]


def _text_delta(frame: Frame) -> list[ServerEvent]:
    delta = _said(frame, "delta")
    return [event.TextDelta(_said(frame, "item_id"), delta, *_address(frame))]


def _text_done(frame: Frame) -> list[ServerEvent]:
    return [event.TextDone(_said(frame, "item_id"), _said(frame, "text"), *_address(frame))]


def _transcript_delta(frame: Frame) -> list[ServerEvent]:
    delta = _said(frame, "delta")
    return [event.TranscriptDelta(_said(frame, "item_id"), delta, *_address(frame))]


def _transcript_done(frame: Frame) -> list[ServerEvent]:
    words = _said(frame, "transcript")
    return [event.TranscriptDone(_said(frame, "item_id"), words, *_address(frame))]


def _arguments_delta(frame: Frame) -> list[ServerEvent]:
    response, item, index, _, event_id = _place(frame)
    call, delta = _said(frame, "call_id"), _said(frame, "delta")
    return [event.FunctionCallDelta(call, delta, response, item, index, event_id)]


# Fields.


def _address(frame: Frame) -> tuple[str, int, int, str]:
    response, _, output_index, content_index, event_id = _place(frame)
    return response, output_index, content_index, event_id


def _place(frame: Frame) -> tuple[str, str, int, int, str]:
    return (
        _text(frame, "response_id"),
        _text(frame, "item_id"),
        _number(frame, "output_index"),
        _number(frame, "content_index"),
        _text(frame, "event_id"),
    )


def _said(frame: Mapping[str, Any], key: str) -> str:
    """A text that must be there."""
    value = frame[key]
    if not isinstance(value, str):
        raise TypeError(key)
    return value


def _text(frame: Mapping[str, Any], key: str) -> str:
    """A text that may be missing or null."""
    value = frame.get(key)
    return value if isinstance(value, str) else ""


def _number(frame: Mapping[str, Any], key: str) -> int:
    return int(frame.get(key) or 0)


def _object(frame: Mapping[str, Any], key: str) -> dict[str, Any]:
    value = frame[key]
    if not isinstance(value, dict):
        raise TypeError(key)
    return value


def _maybe(frame: Mapping[str, Any], key: str) -> dict[str, Any]:
    value = frame.get(key)
    return value if isinstance(value, dict) else {}


_READERS: Mapping[str, Callable[[Frame], list[ServerEvent]]] = {
    "session.created": _session_created,
    "session.updated": _session_updated,
    "error": _error,
    "rate_limits.updated": _rate_limits,
    "input_audio_buffer.speech_started": _speech_started,
    "input_audio_buffer.speech_stopped": _speech_stopped,
    "input_audio_buffer.committed": _committed,
    "input_audio_buffer.cleared": _cleared,
    "conversation.item.added": _item_created,
    "conversation.item.input_audio_transcription.delta": _input_delta,
    "conversation.item.input_audio_transcription.completed": _input_done,
    "conversation.item.input_audio_transcription.failed": _input_failed,
    "response.created": _response_created,
    "response.output_audio.done": _audio_done,
    "response.output_text.delta": _text_delta,
    "response.output_text.done": _text_done,
    "response.output_audio_transcript.delta": _transcript_delta,
    "response.output_audio_transcript.done": _transcript_done,
    "response.function_call_arguments.delta": _arguments_delta,
}
