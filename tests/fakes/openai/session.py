"""One session of the fake's: what it was told, what it says, and what it refuses."""

from __future__ import annotations

import asyncio
import base64
import binascii
import json
from collections.abc import Callable, Mapping
from typing import Any

from tests.fakes.openai.configuration import default_session, update_problem, updated
from tests.fakes.openai.conversation import Conversation
from tests.fakes.openai.mouth import Mouth
from tests.fakes.openai.news import News
from tests.fakes.openai.schema import SERVER_TYPES, Problem, client_problem, server_problem
from tests.fakes.openai.script import Drop, Raise, Script, Stall, Step
from tests.fakes.openai.sound import Ear, Started, bytes_per_ms

__all__ = ["FakeSession"]

_APPEND = "input_audio_buffer.append"
_MAX_AUDIO = 15 * 1024 * 1024
_BETA = {
    "conversation.item.added": "conversation.item.created",
    "response.output_audio.delta": "response.audio.delta",
    "response.output_audio.done": "response.audio.done",
    "response.output_audio_transcript.delta": "response.audio_transcript.delta",
    "response.output_audio_transcript.done": "response.audio_transcript.done",
    "response.output_text.delta": "response.text.delta",
    "response.output_text.done": "response.text.done",
}
_EXPIRED = "Your session hit the maximum duration of 60 minutes."


class FakeSession(News):
    """
    The server's side of one connection; everything in it is there to be looked at.

    Messages go to `outbox` in order; the server sends them, and drops and stalls where it
    finds such a step among them.
    """

    def __init__(
        self, number: int, model: str, script: Script, headers: Mapping[str, str], *, record: bool
    ) -> None:
        super().__init__()
        self.number = number
        self.model = model
        self.script = script
        self.headers = headers
        self.session = default_session(f"sess_{number:04}", model, script.expires_in)
        self.received = bytearray()
        """All of the caller's audio, as it came."""
        self.client_events: list[dict[str, Any]] = []
        """Everything the client said but audio, in order."""
        self.kinds: list[str] = []
        """The types of everything the client said; audio counts once until something else comes."""
        self.server_events: list[dict[str, Any]] = []
        """Everything we said but audio, in order."""
        self.problems: list[Problem] = []
        """What the client said that the protocol does not allow."""
        self.errors: list[str | None] = []
        """The codes of all the errors that we sent."""
        self.close_code: int | None = None
        self.outbox: asyncio.Queue[str | Drop | Stall] = asyncio.Queue()
        self.conversation = Conversation()
        self.closed = False
        self._record = record
        self._ear = Ear()
        self._buffered_ms = 0
        self._turn_item = ""
        self._numbers = {"event": 0}
        self._turns = 0
        self._mouth = Mouth(self)
        self._timers: list[asyncio.TimerHandle] = []

    # For tests.

    @property
    def responding(self) -> bool:
        return self._mouth.answer is not None

    def said(self, kind: str) -> list[dict[str, Any]]:
        """The client's events of one type."""
        return [event for event in self.client_events if event["type"] == kind]

    def emit(self, kind: str, **fields: Any) -> None:
        """Send an event. AssertionError when it is none of the protocol's."""
        event = {"type": kind, **fields}
        if "event_id" in SERVER_TYPES[kind].model_fields:
            event["event_id"] = self.new_id("event")
        partly = self.script.omit_call_names and kind == "response.function_call_arguments.done"
        problem = None if partly else server_problem(event)
        assert problem is None, f"the fake itself is wrong: {kind}: {problem}"
        if kind != "response.output_audio.delta":
            self.server_events.append(event)
        if self.script.beta_names:
            event["type"] = _BETA.get(kind, kind)
        self.send_raw(json.dumps(event))

    def send_raw(self, text: str) -> None:
        """Send whatever `text` is."""
        self.outbox.put_nowait(text)
        self.tell()

    def drop(self, code: int = 1011, reason: str = "") -> None:
        """End the connection once everything before this is sent; 1006 breaks it."""
        self.outbox.put_nowait(Drop(code, reason))

    def stall(self) -> None:
        """Be half open from here on."""
        self.outbox.put_nowait(Stall())

    def respond(self, *steps: Step) -> None:
        """Begin a response with these steps, as if the model had something to say."""
        self._mouth.begin(steps)

    # The server's side.

    def open(self) -> None:
        if self.script.created_delay is not None:
            self._after(self.script.created_delay, self._greet)
        if self.script.end_after is not None:
            self._after(self.script.end_after, self._expire)

    def end(self, code: int | None) -> None:
        """The connection is over."""
        self.closed = True
        self.close_code = code
        for timer in self._timers:
            timer.cancel()
        self._mouth.shut()
        self.tell()

    def hear(self, message: str | bytes) -> None:
        """Take a client's message."""
        try:
            event = json.loads(message)
        except ValueError:
            event = None
        if not isinstance(event, dict):
            self._mark(Problem("invalid_json", "", "We could not parse the JSON body."), {})
            return
        kind = str(event.get("type"))
        if kind != _APPEND:
            self.client_events.append(event)
        if kind != _APPEND or self.kinds[-1:] != [kind]:
            self.kinds.append(kind)
        if (problem := client_problem(event)) is not None:
            self._mark(problem, event)
        elif (refusal := self._refusal(kind)) is not None:
            self.fail(refusal, event)
        else:
            self._obey(kind, event)
        self.tell()

    def _refusal(self, kind: str) -> Raise | None:
        """What the script has against this event."""
        refusals = {
            "session.update": self.script.refuse_updates,
            "conversation.item.create": self.script.refuse_items,
        }.get(kind, ())
        if not refusals:
            return None
        number = sum(event["type"] == kind for event in self.client_events) - 1
        return refusals[number] if 0 <= number < len(refusals) else None

    def _obey(self, kind: str, event: dict[str, Any]) -> None:
        match kind:
            case "input_audio_buffer.append":
                self._append(event)
            case "input_audio_buffer.commit":
                self._commit_by_hand(event)
            case "input_audio_buffer.clear":
                self._buffered_ms = 0
                self._ear.reset()
                self.emit("input_audio_buffer.cleared")
            case "session.update":
                self._update(event)
            case "response.create":
                self._create_response(event)
            case "response.cancel":
                self._cancel(event)
            case "output_audio_buffer.clear":
                self._mark(Problem("invalid_value", "type", "WebRTC and SIP only."), event)
            case _:
                self._change_conversation(event)

    # Configuration.

    def _greet(self) -> None:
        self.emit("session.created", session=self.session)
        conversation = {"id": self.conversation.id, "object": "realtime.conversation"}
        self.emit("conversation.created", conversation=conversation)

    def _expire(self) -> None:
        self.fail(Raise("session_expired", message=_EXPIRED), {})
        self.drop(1001, _EXPIRED)

    def _update(self, event: dict[str, Any]) -> None:
        change, spoken = event["session"], bool(self.conversation.audio_ms)
        heard = self._ear.heard_ms > 0
        problem = update_problem(self.session, change, heard=heard, spoken=spoken)
        if problem is not None:
            self._mark(problem, event)
            return
        self.session = updated(self.session, change)
        if self.script.updated_delay is not None:
            self._after(self.script.updated_delay, self._confirm, self.session)

    def _confirm(self, session: dict[str, Any]) -> None:
        self.emit("session.updated", session=session)

    # The caller.

    def _append(self, event: dict[str, Any]) -> None:
        try:
            audio = base64.b64decode(event["audio"], validate=True)
        except binascii.Error:
            self._mark(Problem("invalid_value", "audio", "Invalid base64."), event)
            return
        hears = self.session["audio"]["input"]
        width = 2 if hears["format"]["type"] == "audio/pcm" else 1
        if len(event["audio"]) > _MAX_AUDIO or len(audio) % width:
            self._mark(Problem("invalid_value", "audio", "Invalid audio."), event)
            return
        if self._record:
            self.received += audio
        self._buffered_ms += len(audio) // bytes_per_ms(hears["format"])
        for change in self._ear.hear(audio, hears["format"], hears["turn_detection"]):
            if isinstance(change, Started):
                self._speech_started(change.at_ms)
            else:
                self._speech_stopped(change.at_ms)

    def _speech_started(self, at_ms: int) -> None:
        self._turn_item = self.new_id("item")
        self.emit(
            "input_audio_buffer.speech_started", item_id=self._turn_item, audio_start_ms=at_ms
        )
        if self.session["audio"]["input"]["turn_detection"]["interrupt_response"]:
            self._mouth.cut("turn_detected")

    def _speech_stopped(self, at_ms: int) -> None:
        self.emit("input_audio_buffer.speech_stopped", item_id=self._turn_item, audio_end_ms=at_ms)
        self._commit(self._turn_item)
        detection = self.session["audio"]["input"]["turn_detection"]
        if detection["create_response"] and not self.responding:
            self._mouth.begin(self._mouth.next_steps())
        self._transcribe(self._turn_item)

    def _commit_by_hand(self, event: dict[str, Any]) -> None:
        if self._buffered_ms < 100:
            message = f"buffer too small, expected 100ms of audio, have {self._buffered_ms}ms"
            self.fail(Raise("input_audio_buffer_commit_empty", message=message), event)
            return
        self._ear.reset()
        item_id = self.new_id("item")
        self._commit(item_id)
        self._transcribe(item_id)

    def _commit(self, item_id: str) -> None:
        self._buffered_ms = 0
        item: dict[str, Any] = {
            "id": item_id,
            "object": "realtime.item",
            "type": "message",
            "role": "user",
            "status": "completed",
            "content": [{"type": "input_audio", "transcript": None}],
        }
        previous = self.conversation.enter(item)
        self.emit("input_audio_buffer.committed", item_id=item_id, previous_item_id=previous)
        self.emit("conversation.item.added", item=item, previous_item_id=previous)
        self.emit("conversation.item.done", item=item, previous_item_id=previous)

    def _transcribe(self, item_id: str) -> None:
        """Another model's work, done beside the answer."""
        number, self._turns = self._turns, self._turns + 1
        if self.session["audio"]["input"]["transcription"] is not None:
            words = self.script.transcripts
            text = words[number] if number < len(words) else "Hello."
            self._after(self.script.transcription_delay, self._tell_transcript, item_id, text)

    def _tell_transcript(self, item_id: str, text: str) -> None:
        kind = "conversation.item.input_audio_transcription"
        place = {"item_id": item_id, "content_index": 0}
        usage = {"type": "tokens", "total_tokens": 20, "input_tokens": 10, "output_tokens": 10}
        self.emit(f"{kind}.delta", **place, delta=text)
        self.emit(f"{kind}.completed", **place, transcript=text, usage=usage)

    # The conversation.

    def _change_conversation(self, event: dict[str, Any]) -> None:
        outcome = self.conversation.change(event, self.new_id)
        if isinstance(outcome, Raise):
            self.fail(outcome, event)
            return
        for kind, fields in outcome:
            self.emit(kind, **fields)

    # The model.

    def _create_response(self, event: dict[str, Any]) -> None:
        wish = event.get("response") or {}
        aside = wish.get("conversation") == "none"
        if self.responding and not aside:
            message = "Conversation already has an active response in progress."
            self.fail(Raise("conversation_already_has_active_response", message=message), event)
            return
        steps = self._mouth.next_steps()
        self._mouth.begin(steps, aside=aside, metadata=wish.get("metadata"))

    def _cancel(self, event: dict[str, Any]) -> None:
        if not self.responding:
            message = "Cancellation failed: no active response found"
            self.fail(Raise("response_cancel_not_active", message=message), event)
        else:
            self._mouth.cut("client_cancelled")

    # Errors, ids, time.

    def _mark(self, problem: Problem, event: Mapping[str, Any]) -> None:
        """Refuse what a client must not say."""
        self.problems.append(problem)
        self.fail(Raise(problem.code, message=problem.message), event, problem.param)

    def fail(self, error: Raise, event: Mapping[str, Any], param: str | None = None) -> None:
        self.errors.append(error.code)
        named = event.get("event_id") if self.script.name_refused else None
        words = {"type": error.type, "code": error.code, "message": error.message}
        self.emit("error", error={**words, "param": param, "event_id": named})

    def new_id(self, kind: str) -> str:
        self._numbers[kind] = self._numbers.get(kind, 0) + 1
        return f"{kind}_{self.number:04}_{self._numbers[kind]:06}"

    def _after(self, seconds: float, call: Callable[..., None], *arguments: Any) -> None:
        if seconds <= 0:
            call(*arguments)
        else:
            loop = asyncio.get_running_loop()
            self._timers.append(loop.call_later(seconds, call, *arguments))
