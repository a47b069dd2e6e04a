"""
A conversation with the offline agent: what a good provider would say, without one.

Rule: events come in the order and at the pace of a real provider: the voice in deltas of
100 ms, much faster than it is heard, and nothing of an answer after it was interrupted.
"""

from __future__ import annotations

import asyncio
import base64
import binascii
import json
import uuid
from collections.abc import AsyncIterator, Iterable

from bridge.audio.formats import ULAW_8K, AudioChunk, AudioFormat
from bridge.audio.transcode import transcoder
from bridge.errors import AudioFormatError, Fault, SessionClosed, UnsupportedConfig
from bridge.ports import client_events as client
from bridge.ports import server_events as event
from bridge.ports.client_events import ClientEvent
from bridge.ports.conversation import HistoryItem
from bridge.ports.model import (
    Applied,
    ContextMutationOutcome,
    EventListener,
    Memory,
    RequiresResumption,
    ToolResponse,
)
from bridge.ports.server_events import Drop, ResponseStatus, ServerEvent
from bridge.ports.session import RealtimeConfig, VadConfig, VadMode
from bridge.providers.offline.dialogue import Dialogue, Reply, heard
from bridge.providers.offline.ears import SILENCE_MS, STRICTNESS, Ears, Started, Stopped
from bridge.providers.offline.voice import say
from bridge.runner.inbox import Inbox

__all__ = ["OfflineSession"]

DELTA_MS = 100  # of voice in one event
BURST = 4  # times as fast as it is heard
THINKING = 0.15  # seconds from a wish to the first sound


class OfflineSession:
    """RealtimeSession in this process. OfflineModel makes it."""

    def __init__(
        self,
        config: RealtimeConfig,
        *,
        input_format: AudioFormat,
        output_format: AudioFormat,
        native_updates: bool = True,
    ) -> None:
        self.session_id = f"offline_{uuid.uuid4().hex}"
        self.input_format = input_format
        self.output_format = output_format
        self.memory = Memory.NONE
        self.expires_in: float | None = None
        self._loop = asyncio.get_running_loop()
        self._native_updates = native_updates
        self._inbox = Inbox()
        self._config = config
        self._ears = Ears(input_format, silence_ms=_silence_ms(config))
        self._dialogue = Dialogue(config.tools or ())
        self._answering: asyncio.Task[None] | None = None
        self._response_id = ""
        self._count = 0
        self._called: dict[str, str] = {}
        self._answers: list[Reply] = []
        self._over = False
        self._tell(event.SessionCreated({"id": self.session_id, "model": "scripted"}))

    # How it begins

    def resume(self, token: str) -> None:
        """Go on where another session stopped. Raises ValueError for a token not of ours."""
        try:
            self._dialogue.read(base64.urlsafe_b64decode(token).decode())
        except (binascii.Error, UnicodeDecodeError) as exc:
            raise ValueError("not a token of ours") from exc
        self.memory = Memory.NATIVE

    def recall(self, history: Iterable[HistoryItem]) -> None:
        """Know a conversation that it was told."""
        self._dialogue.recall(history)
        self.memory = Memory.REPLAYED

    # What it hears

    @property
    def is_connected(self) -> bool:
        return not self._over

    def feed(self, audio: bytes) -> None:
        if self._over:
            return
        for found in self._ears.hear(audio):
            match found:
                case Started(start_ms):
                    self._on_started(start_ms)
                case Stopped(end_ms, speech_ms):
                    self._on_stopped(end_ms, speech_ms)

    def _on_started(self, start_ms: int) -> None:
        self._count += 1
        if self._listens:
            self._tell(event.SpeechStarted(start_ms, self._turn_id))
        if self._interruptible:
            self._cut("turn_detected")

    def _on_stopped(self, end_ms: int, speech_ms: int) -> None:
        if not self._listens:
            return
        self._tell(event.SpeechStopped(end_ms, self._turn_id))
        self._turn_over(speech_ms / 1000)

    def _turn_over(self, seconds: float) -> None:
        self._tell(event.AudioCommitted(self._turn_id))
        self._tell(event.InputTranscriptDone(heard(seconds), self._turn_id))
        self._answer(self._dialogue.spoken(seconds))

    @property
    def _turn_id(self) -> str:
        return f"turn_{self.session_id[-6:]}_{self._count}"

    @property
    def _listens(self) -> bool:
        return (self._config.turn_detection or VadConfig()).mode is not VadMode.NONE

    @property
    def _interruptible(self) -> bool:
        vad = self._config.turn_detection or VadConfig()
        return self._listens and vad.interrupt_response is not False

    # What it says

    def _answer(self, reply: Reply) -> None:
        if not reply.text and not reply.calls:
            return
        if self._answering is not None and not self._answering.done():
            refused = event.ErrorInfo("invalid_request_error", "one answer at a time", "busy")
            self._tell(event.Error(refused, event.Severity.HARMLESS, refused_response=True))
            return
        self._count += 1
        self._response_id = f"resp_{self.session_id[-6:]}_{self._count}"
        self._answering = asyncio.create_task(self._speak(reply), name="offline answer")

    async def _speak(self, reply: Reply) -> None:
        response_id, item_id = self._response_id, f"item_{self._response_id}"
        self._tell(event.ResponseCreated(response_id))
        if reply.text:
            await asyncio.sleep(THINKING)
            self._tell(event.OutputItemAdded(response_id, {"id": item_id, "type": "message"}))
            self._tell(event.TranscriptDelta(item_id, reply.text, response_id))
            await self._voice(reply.text, item_id, response_id)
            self._tell(event.TranscriptDone(item_id, reply.text, response_id))
            self._tell(event.AudioDone(item_id, response_id))
        for number, (name, arguments) in enumerate(reply.calls):
            call_id = f"call_{response_id}_{number}"
            self._called[call_id] = name
            text = json.dumps(arguments)
            self._tell(event.FunctionCallDone(call_id, name, text, response_id))
        self._answering = None
        self._tell(event.ResponseDone(response_id))
        self._tell_token()

    async def _voice(self, text: str, item_id: str, response_id: str) -> None:
        codec = transcoder(ULAW_8K, self.output_format)
        audio, size = say(text), ULAW_8K.size(DELTA_MS)
        for start in range(0, len(audio), size):
            piece = codec.feed(audio[start : start + size])
            self._tell(event.AudioDelta(item_id, piece, response_id))
            await asyncio.sleep(DELTA_MS / 1000 / BURST)

    def _cut(self, reason: str) -> None:
        """Stop speaking; nothing of the answer comes after this."""
        answering, self._answering = self._answering, None
        if answering is None or answering.done():
            return
        answering.cancel()
        self._tell(event.Interrupted(self._response_id))
        cancelled = ResponseStatus.CANCELLED
        self._tell(event.ResponseDone(self._response_id, cancelled, reason))

    def _tell_token(self) -> None:
        token = base64.urlsafe_b64encode(self._dialogue.write().encode()).decode()
        self._tell(event.ResumptionToken(token))

    # What it is told

    async def send_audio(self, audio: AudioChunk) -> None:
        self._must_be_open()
        if audio.format != self.input_format:
            raise AudioFormatError(f"this session hears {self.input_format}, not {audio.format}")
        self.feed(audio.data)

    async def send_audio_base64(self, audio_base64: str) -> None:
        await self.send_audio(AudioChunk.from_base64(audio_base64, self.input_format))

    async def send_text(self, text: str) -> None:
        await self.send_event(client.Message("user", text))

    async def send_tool_response(self, *responses: ToolResponse) -> None:
        self._must_be_open()
        for response in responses:
            name = self._called.pop(response.call_id, None)
            if name is not None:
                self._answers.append(self._dialogue.answered(name, response.output))

    async def commit_audio(self) -> None:
        self._must_be_open()
        if self._ears.speaking:
            self._ears.forget()
        self._turn_over(0.0)

    async def clear_audio(self) -> None:
        self._must_be_open()
        self._ears.forget()
        self._tell(event.AudioCleared())

    async def create_response(self, instructions: str | None = None) -> None:
        self._must_be_open()
        answers, self._answers = self._answers, []
        if answers and instructions is None:
            text = " ".join(answer.text for answer in answers if answer.text)
            self._answer(Reply(text))
        else:
            self._answer(self._dialogue.asked(instructions))

    async def interrupt(self) -> None:
        self._must_be_open()
        self._cut("client_cancelled")

    async def send_event(self, event: ClientEvent) -> None:
        self._must_be_open()
        match event:
            case client.AudioDelta(audio, format):
                await self.send_audio(AudioChunk(audio, format or self.input_format))
            case client.InputAudioBufferCommit():
                await self.commit_audio()
            case client.InputAudioBufferClear():
                await self.clear_audio()
            case client.ResponseCreate(instructions):
                await self.create_response(instructions)
            case client.ResponseCancel():
                await self.interrupt()
            case client.Message():
                self._on_message(event)
            case client.ItemTruncate():
                pass  # it repeats nothing, so it need not know where it was cut off
            case client.SessionUpdate() | client.ConversationItemCreate() | client.UpdateSession():
                raise UnsupportedConfig(f"the offline agent knows no {type(event).__name__}")

    def _on_message(self, message: client.Message) -> None:
        if message.role != "user":
            return
        reply = self._dialogue.told(message.text)
        self._tell_token()
        if message.respond:
            self._cut("client_cancelled")
            self._answer(reply)

    async def mutate_context(self, change: RealtimeConfig) -> ContextMutationOutcome:
        self._must_be_open()
        formats = change.input_audio_format, change.output_audio_format
        if not self._native_updates or any(each is not None for each in formats):
            return RequiresResumption()
        self._config = self._config.merge(change)
        self._dialogue.tools = self._config.tools or ()
        self._ears.tune(silence_ms=_silence_ms(self._config), strictness=STRICTNESS)
        self._tell(event.SessionUpdated({"id": self.session_id}))
        return Applied()

    # What it tells

    def attach(self, listener: EventListener) -> None:
        self._inbox.attach(listener)

    async def next_event(self) -> ServerEvent | None:
        return await self._inbox.get()

    async def events(self) -> AsyncIterator[ServerEvent]:
        while (happened := await self._inbox.get()) is not None:
            yield happened

    def _tell(self, happened: ServerEvent) -> None:
        self._inbox.put(happened)

    # How it ends

    async def close(self) -> None:
        await self._end(event.Disconnected(Drop.CLOSED, Fault.NOBODY))

    async def drop(self, drop: Drop = Drop.LOST) -> None:
        """End as a provider's session may: for tests and demonstrations."""
        await self._end(event.Disconnected(drop, code=1011, detail="dropped on purpose"))

    async def _end(self, last: event.Disconnected) -> None:
        if self._over:
            return
        self._over = True
        answering, self._answering = self._answering, None
        if answering is not None:
            answering.cancel()
            await asyncio.gather(answering, return_exceptions=True)
        self._tell(last)

    def _must_be_open(self) -> None:
        if self._over:
            raise SessionClosed("the session is over")


def _silence_ms(config: RealtimeConfig) -> int:
    vad = config.turn_detection
    if vad is None or vad.silence_duration_ms is None:
        return SILENCE_MS
    return vad.silence_duration_ms
