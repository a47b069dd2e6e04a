"""What the server says, as our events."""

from __future__ import annotations

import binascii
import json
from collections.abc import Callable, Iterator
from typing import Any

from bridge.ports import server_events as event
from bridge.ports.server_events import ResponseStatus, ServerEvent
from bridge.wire.gemini.calls import ToolCalls
from bridge.wire.gemini.fields import (
    Fields,
    Unreadable,
    camel,
    flag,
    items,
    object_of,
    seconds,
    text,
    value,
)
from bridge.wire.gemini.turn import TurnState
from bridge.wire.gemini.voice import OUTPUT_RATE, read_voice

__all__ = ["Reader"]

_CONTENT = frozenset(
    {
        "modelTurn",
        "generationComplete",
        "turnComplete",
        "turnCompleteReason",
        "interrupted",
        "inputTranscription",
        "outputTranscription",
        "interactionStatus",
    }
)
_UNSPECIFIED = frozenset({"", "INTERACTION_STATUS_UNSPECIFIED"})
_WELL = frozenset({"", "TURN_COMPLETE_REASON_UNSPECIFIED", "NEED_MORE_INPUT"})
_ACCOUNT = frozenset({"UNAUTHENTICATED", "PERMISSION_DENIED", "RESOURCE_EXHAUSTED"})

Section = Callable[[Fields], Iterator[ServerEvent]]


class Reader:
    """
    Reads the messages of one session.

    One message may say many things at once. They are told in the order in which they make
    sense: what the caller did, what the model says, what it calls, what ends.
    """

    def __init__(self, turn: TurnState, calls: ToolCalls) -> None:
        self._turn = turn
        self._calls = calls

    def read(self, frame: str | bytes) -> tuple[ServerEvent, ...]:
        """All that one frame tells. What of it cannot be read is a BadFrame, the rest counts."""
        if (audio := read_voice(frame)) is not None:
            return tuple(self._turn.audio(audio))
        try:
            message = json.loads(frame)
        except (ValueError, RecursionError):
            return (event.BadFrame("not JSON", len(frame)),)
        if not isinstance(message, dict):
            return (event.BadFrame("not a JSON object", len(frame)),)
        try:
            return tuple(self._events(message, len(frame)))
        except RecursionError:
            return (event.BadFrame("nested too deeply", len(frame)),)

    def _sections(self) -> dict[str, Section]:
        """Made anew each time: a table that were kept would know who keeps it."""
        return {
            "setupComplete": self._read_setup_complete,
            "voiceActivity": self._read_activity,
            "voiceActivityDetectionSignal": self._read_signal,
            "toolCallCancellation": self._read_cancellation,
            "serverContent": self._read_content,
            "toolCall": self._read_calls,
            "usageMetadata": _read_usage,
            "sessionResumptionUpdate": _read_token,
            "goAway": _read_going_away,
            "error": _read_error,
        }

    def _events(self, message: Fields, size: int) -> Iterator[ServerEvent]:
        content = value(message, "serverContent")
        sections = self._sections()
        for name, section in sections.items():
            if value(message, name) is not None:
                yield from _guarded(section, message, name, size)
        if isinstance(content, dict):
            yield from _guarded(self._read_end, message, "serverContent", size)
        for key, payload in message.items():
            if camel(key) not in sections:
                yield event.Unknown(camel(key), {key: payload})

    def _read_setup_complete(self, setup: Fields) -> Iterator[ServerEvent]:
        yield event.SessionCreated(setup)

    def _read_activity(self, activity: Fields) -> Iterator[ServerEvent]:
        at_ms = round(seconds(activity, "audioOffset") * 1000)
        match text(activity, "type") or text(activity, "voiceActivityType"):
            case "ACTIVITY_START":
                yield event.SpeechStarted(at_ms)
            case "ACTIVITY_END":
                yield event.SpeechStopped(at_ms)

    def _read_signal(self, signal: Fields) -> Iterator[ServerEvent]:
        match text(signal, "vadSignalType"):
            case "VAD_SIGNAL_TYPE_SOS":
                yield event.SpeechStarted()
            case "VAD_SIGNAL_TYPE_EOS":
                yield event.SpeechStopped()

    def _read_cancellation(self, cancellation: Fields) -> Iterator[ServerEvent]:
        call_ids = tuple(str(call_id) for call_id in items(cancellation, "ids"))
        self._calls.cancel(call_ids)
        yield event.ToolCallCancelled(call_ids)

    def _read_content(self, content: Fields) -> Iterator[ServerEvent]:
        if (heard := object_of(content, "inputTranscription")) is not None:
            yield from self._turn.heard(text(heard, "text"), finished=flag(heard, "finished"))
        if (model_turn := object_of(content, "modelTurn")) is not None:
            for part in items(model_turn, "parts"):
                yield from _guarded(self._read_part, {"part": part}, "part", 0)
        if (said := object_of(content, "outputTranscription")) is not None:
            yield from self._turn.said(text(said, "text"))
        for key, payload in content.items():
            if camel(key) not in _CONTENT:
                yield event.Unknown(f"serverContent.{camel(key)}", {key: payload})

    def _read_part(self, part: Fields) -> Iterator[ServerEvent]:
        if (data := object_of(part, "inlineData")) is not None:
            yield from self._turn.audio(_audio(data))
        elif not flag(part, "thought"):
            if value(part, "text") is None:
                yield event.Unknown("serverContent.modelTurn.part", part)
            yield from self._turn.written(text(part, "text"))

    def _read_calls(self, tool_call: Fields) -> Iterator[ServerEvent]:
        for call in items(tool_call, "functionCalls"):
            yield from _guarded(self._read_call, {"functionCall": call}, "functionCall", 0)

    def _read_call(self, call: Fields) -> Iterator[ServerEvent]:
        name = text(call, "name")
        arguments = json.dumps(value(call, "args") or {}, ensure_ascii=False)
        call_id = self._calls.begin(text(call, "id"), name)
        yield from self._turn.called(call_id, name, arguments)

    def _read_end(self, content: Fields) -> Iterator[ServerEvent]:
        """What ends comes last, behind what the same message still said."""
        if flag(content, "interrupted"):
            yield from self._turn.interrupted()
        if flag(content, "generationComplete"):
            yield from self._turn.generated()
        if _is_complete(content):
            reason = text(content, "turnCompleteReason")
            well = reason in _WELL
            status = ResponseStatus.COMPLETED if well else ResponseStatus.FAILED
            yield from self._turn.completed(status, "" if well else reason)
        elif flag(content, "turnComplete"):
            self._turn.paused()


def _guarded(section: Section, fields: Fields, name: str, size: int) -> Iterator[ServerEvent]:
    try:
        if (found := object_of(fields, name)) is not None:
            yield from section(found)
    except Unreadable as exc:
        yield event.BadFrame(str(exc), size)


def _is_complete(content: Fields) -> bool:
    """With extended thinking a turn ends when the session is idle, whatever else is complete."""
    status = text(content, "interactionStatus")
    return flag(content, "turnComplete") if status in _UNSPECIFIED else status == "IDLE"


def _audio(data: Fields) -> bytes:
    kind, _, rate = text(data, "mimeType").partition(";")
    if kind != "audio/pcm" or rate.strip() not in {"", f"rate={OUTPUT_RATE}"}:
        raise Unreadable("inlineData is not audio of 24 kHz")
    try:
        audio = binascii.a2b_base64(text(data, "data"), strict_mode=True)
    except ValueError:
        raise Unreadable("inlineData is not base64") from None
    if len(audio) % 2:
        raise Unreadable("inlineData cuts a sample in two")
    return audio


def _read_usage(usage: Fields) -> Iterator[ServerEvent]:
    yield event.Usage(usage)


def _read_token(update: Fields) -> Iterator[ServerEvent]:
    handle = text(update, "newHandle")
    yield event.ResumptionToken(handle if handle and flag(update, "resumable") else None)


def _read_going_away(going: Fields) -> Iterator[ServerEvent]:
    try:
        yield event.GoingAway(seconds(going, "timeLeft"))
    except Unreadable:
        yield event.GoingAway(0.0)  # the news itself is what counts


def _read_error(error: Fields) -> Iterator[ServerEvent]:
    status: Any = text(error, "status")
    code = value(error, "code")
    severity = event.Severity.FATAL if status in _ACCOUNT else event.Severity.RETRY
    info = event.ErrorInfo(status, text(error, "message"), "" if code is None else str(code))
    yield event.Error(info, severity)
