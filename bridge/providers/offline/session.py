"""
A conversation with the offline agent, in this process and without a socket.

Rule: it behaves as a good provider does, in the order of its events and in what it
refuses. The caller's audio is heard at once; an answer comes in bursts, faster than it is
spoken, each in a loop turn of its own.
"""

from __future__ import annotations

import asyncio
import uuid
from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import assert_never

from bridge.audio.formats import AudioChunk, AudioFormat
from bridge.audio.transcode import Transcoder, transcoder
from bridge.errors import (
    AudioFormatError,
    Fault,
    ServerError,
    SessionClosed,
    UnsupportedConfig,
)
from bridge.ports import client_events as client
from bridge.ports import server_events as event
from bridge.ports.client_events import ClientEvent
from bridge.ports.model import (
    Applied,
    ContextMutationOutcome,
    EventListener,
    Memory,
    RequiresResumption,
    ToolResponse,
)
from bridge.ports.server_events import Drop, ServerEvent
from bridge.ports.session import RealtimeConfig, ToolDefinition
from bridge.providers.offline.dialogue import Dialogue
from bridge.providers.offline.ears import Started, Stopped
from bridge.providers.offline.listening import LEAST_COMMIT_MS, Listening
from bridge.providers.offline.remembered import Remembered, write_token
from bridge.providers.offline.responder import Responder, refusal
from bridge.providers.offline.script import Script
from bridge.providers.offline.speaking import PACE, Speaking
from bridge.providers.offline.synthesiser import Synthesiser
from bridge.providers.offline.voice import Vocabulary, Voice
from bridge.runner.inbox import session_inbox

__all__ = ["Manners", "OfflineSession"]


@dataclass(frozen=True, slots=True)
class Manners:
    """How sessions behave; OfflineModel says what each of these means."""

    native_updates: bool = True
    resumable: bool = True
    pace: float = PACE
    lifetime: float | None = None
    warning: float = 10.0


class OfflineSession:
    """
    RealtimeSession, with the faults of a real one on demand: `drop` and `go_away`.

    Must be made where an event loop runs.
    """

    def __init__(
        self,
        config: RealtimeConfig,
        *,
        formats: tuple[AudioFormat, AudioFormat],
        vocabulary: Vocabulary,
        synthesiser: Synthesiser | None,
        remembered: Remembered,
        memory: Memory,
        manners: Manners,
    ) -> None:
        self.session_id = f"offline-{uuid.uuid4().hex}"
        self.memory = memory
        self.expires_in = manners.lifetime
        self.input_format, self.output_format = formats
        self._config = config
        self._manners = manners
        self._voice = Voice(vocabulary, self.output_format)
        self._can_synthesise = synthesiser is not None
        self._dialogue = Dialogue(
            Script.read(config), _offered(config), remembered, can_say=self._can_say
        )
        self._responder = Responder(
            self._dialogue,
            self._voice,
            Speaking(self._tell, manners.pace),
            vocabulary=vocabulary,
            synthesiser=synthesiser,
            new_id=self._new_id,
            aloud=config.modalities is None or "audio" in config.modalities,
        )
        self._listening = Listening(self.input_format, config.turn_detection)
        self._transcoders: dict[AudioFormat, Transcoder] = {}
        self._inbox = session_inbox()
        self._open = True
        self._calls: dict[str, str] = {}
        self._ids = 0
        self._turn_id = ""
        self._timers: list[asyncio.TimerHandle] = []
        self._begin()

    def _begin(self) -> None:
        self._tell(event.SessionCreated({"id": self.session_id, "model": "offline"}))
        self._offer_token()
        if self._manners.lifetime is not None:
            warning = min(self._manners.warning, self._manners.lifetime)
            loop = asyncio.get_running_loop()
            wait = self._manners.lifetime - warning
            self._timers.append(loop.call_later(wait, self.go_away, warning))

    # What a session tells

    @property
    def is_connected(self) -> bool:
        return self._open

    @property
    def remembered(self) -> Remembered:
        """What the agent knows of the call so far."""
        return self._dialogue.memory

    def attach(self, listener: EventListener) -> None:
        self._inbox.attach(listener)

    async def next_event(self) -> ServerEvent | None:
        return await self._inbox.get()

    async def events(self) -> AsyncIterator[ServerEvent]:
        while (happened := await self.next_event()) is not None:
            yield happened

    # What it is told

    def feed(self, audio: bytes) -> None:
        if not self._open:
            return
        for happened in self._listening.hear(audio):
            match happened:
                case Started(start_ms):
                    self._on_started(start_ms)
                case Stopped(end_ms, speech_ms):
                    self._tell(event.SpeechStopped(end_ms, self._turn_id))
                    self._take_turn(speech_ms / 1000)
                    self._responder.respond()

    async def send_audio(self, audio: AudioChunk) -> None:
        if audio.format != self.input_format:
            raise AudioFormatError(f"this session hears {self.input_format}, not {audio.format}")
        self._must_be_open()
        self.feed(audio.data)

    async def send_audio_base64(self, audio_base64: str) -> None:
        await self.send_audio(AudioChunk.from_base64(audio_base64, self.input_format))

    async def send_text(self, text: str) -> None:
        await self.send_event(client.Message("user", text))

    async def send_tool_response(self, *responses: ToolResponse) -> None:
        self._must_be_open()
        for response in responses:
            name = self._calls.pop(response.call_id, None)
            if name is None:
                self._refuse("tool_call_not_found", "there is no such tool call to be answered")
            else:
                self._dialogue.answered(name, response.output)

    async def commit_audio(self) -> None:
        await self.send_event(client.InputAudioBufferCommit())

    async def clear_audio(self) -> None:
        await self.send_event(client.InputAudioBufferClear())

    async def create_response(self, instructions: str | None = None) -> None:
        await self.send_event(client.ResponseCreate(instructions))

    async def interrupt(self) -> None:
        await self.send_event(client.ResponseCancel())

    async def send_event(self, event: ClientEvent) -> None:
        self._must_be_open()
        match event:
            case client.AudioDelta(audio, format):
                self._feed_as(AudioChunk(audio, format or self.input_format))
            case client.InputAudioBufferCommit():
                self._commit()
            case client.InputAudioBufferClear():
                self._clear()
            case client.ResponseCreate(instructions):
                self._create(instructions)
            case client.ResponseCancel():
                if not self._responder.silence("client_cancelled"):
                    self._refuse("response_cancel_not_active", "there is no response to cancel")
            case client.Message(role, text, respond):
                self._dialogue.told(role, text)
                if respond:
                    self._create(None)
            case client.ItemTruncate(item_id, heard_ms):
                if (error := self._responder.truncate(item_id, heard_ms)) is not None:
                    self._tell(error)
            case client.SessionUpdate() | client.ConversationItemCreate() | client.UpdateSession():
                raise UnsupportedConfig(f"offline: no word for {type(event).__name__}")
            case _:
                assert_never(event)

    def _feed_as(self, chunk: AudioChunk) -> None:
        other = self._transcoders.get(chunk.format)
        if other is None:
            other = self._transcoders[chunk.format] = transcoder(chunk.format, self.input_format)
        self.feed(other.feed(chunk.data))

    async def mutate_context(self, change: RealtimeConfig) -> ContextMutationOutcome:
        self._must_be_open()
        config = self._config.merge(change)
        try:
            script = Script.read(config)
        except UnsupportedConfig as exc:
            raise ServerError("invalid_value", str(exc)) from None
        if not self._manners.native_updates or _sounds_otherwise(config, self._config):
            return RequiresResumption()
        self._config = config
        self._dialogue.script, self._dialogue.tools = script, _offered(config)
        self._listening.configure(config.turn_detection)
        self._tell(event.SessionUpdated({"id": self.session_id, "fields": sorted(change.named())}))
        return Applied()

    async def close(self) -> None:
        self.drop(Drop.CLOSED)

    # Faults on demand

    def drop(self, drop: Drop = Drop.LOST) -> None:
        """End the session as a provider or a network would, in this very moment."""
        if not self._open:
            return
        self._open = False
        self._responder.silence("")
        for timer in self._timers:
            timer.cancel()
        fault = Fault.NOBODY if drop is Drop.CLOSED else Fault.PROVIDER
        self._inbox.put(event.Disconnected(drop, fault, detail=f"offline: {drop}"))

    def go_away(self, seconds: float) -> None:
        """Announce that the session ends in `seconds`, and end it then."""
        if self._open:
            self._tell(event.GoingAway(seconds))
            loop = asyncio.get_running_loop()
            self._timers.append(loop.call_later(seconds, self.drop, Drop.EXPIRED))

    # The caller's turns

    def _on_started(self, start_ms: int) -> None:
        self._turn_id = self._new_id("item")
        self._tell(event.SpeechStarted(start_ms, self._turn_id))
        if self._listening.interrupts:
            self._responder.silence("turn_detected")

    def _commit(self) -> None:
        seconds = self._listening.commit()
        if seconds is None:
            self._refuse(
                "input_audio_buffer_commit_empty",
                f"there are less than {LEAST_COMMIT_MS} ms of audio to commit",
            )
        else:
            self._turn_id = self._new_id("item")
            self._take_turn(seconds)

    def _clear(self) -> None:
        self._listening.clear()
        self._tell(event.AudioCleared())

    def _take_turn(self, seconds: float) -> None:
        item_id = self._turn_id
        self._tell(event.AudioCommitted(item_id))
        self._tell(event.ItemCreated({"id": item_id, "type": "message", "role": "user"}))
        self._tell(event.InputTranscriptDone(f"(speech, {seconds:.1f} s)", item_id))
        self._dialogue.heard(seconds)

    def _create(self, instructions: str | None) -> None:
        if self._responder.busy:
            code = "conversation_already_has_active_response"
            self._tell(refusal(code, "a response is under way", refused_response=True))
        else:
            self._responder.respond(instructions)

    # Telling

    def _tell(self, happened: ServerEvent) -> None:
        if isinstance(happened, event.FunctionCallDone):
            self._calls[happened.call_id] = happened.name
            self._inbox.put(happened)
            self._offer_token()
            return
        self._inbox.put(happened)
        match happened:
            case event.ResponseCreated():
                self._offer_token()
            case event.ResponseDone():
                self._offer_token()
                if self._listening.automatic and self._dialogue.waits_for_reply:
                    self._responder.respond()
            case _:
                pass

    def _offer_token(self) -> None:
        """A session that waits for a tool cannot be resumed by token just now."""
        if self._manners.resumable and self._open:
            token = None if self._calls else write_token(self._dialogue.memory)
            self._inbox.put(event.ResumptionToken(token))

    def _refuse(self, code: str, text: str) -> None:
        self._tell(refusal(code, text))

    def _must_be_open(self) -> None:
        if not self._open:
            raise SessionClosed("the session is over")

    def _can_say(self, text: str) -> bool:
        return self._can_synthesise or self._voice.knows(text)

    def _new_id(self, kind: str) -> str:
        self._ids += 1
        return f"{kind}-{self.session_id[-12:]}-{self._ids}"


def _offered(config: RealtimeConfig) -> tuple[ToolDefinition, ...]:
    """The tools that may be called."""
    return () if config.tool_choice == "none" else config.tools or ()


def _sounds_otherwise(config: RealtimeConfig, before: RealtimeConfig) -> bool:
    wanted = config.input_audio_format, config.output_audio_format
    return wanted != (before.input_audio_format, before.output_audio_format)
