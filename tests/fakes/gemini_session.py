"""One connection to the fake Gemini Live server: what it hears, refuses and remembers."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Callable
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs, urlsplit

from google.genai import types
from websockets.asyncio.server import ServerConnection
from websockets.exceptions import ConnectionClosed

from tests.fakes.gemini_answer import Answering
from tests.fakes.gemini_ears import Ears
from tests.fakes.gemini_rules import ClientMessage, Refused, check_setup, read_message

if TYPE_CHECKING:
    from tests.fakes.gemini_live import FakeGemini

__all__ = ["FakeSession"]


class FakeSession:
    """What came over one connection is in `messages`, `audio` and `close_code`."""

    def __init__(self, fake: FakeGemini, socket: ServerConnection, *, vertex: bool) -> None:
        assert socket.request is not None
        self.fake = fake
        self.socket = socket
        self.vertex = vertex
        self.path = socket.request.path
        self.headers = socket.request.headers
        self.messages: list[ClientMessage] = []
        self.audio = bytearray()
        self.ready = False
        self.setup: types.LiveClientSetup | None = None
        self.resumed_from: FakeSession | None = None
        self.generation = ""
        self.ended = asyncio.Event()
        self.answering = Answering(self, fake.script)
        self._by_hand = False
        self._active = False
        self._interruptible = True
        self._awaits_history = False
        self._ears = Ears()
        self._changed = asyncio.Event()

    # For tests

    @property
    def open(self) -> bool:
        return not self.ended.is_set()

    @property
    def close_code(self) -> int | None:
        return self.socket.close_code

    def sent(self, kind: str) -> list[Any]:
        """The client's messages of this kind, as Google's types."""
        return [message.body for message in self.messages if message.kind == kind]

    async def until(self, condition: Callable[[FakeSession], object]) -> None:
        """Until it holds; asked again after every message."""
        while not condition(self):
            self._changed.clear()
            await self._changed.wait()

    async def until_sent(self, kind: str, count: int = 1) -> Any:
        """The newest message of this kind, when there are `count`."""
        await self.until(lambda session: len(session.sent(kind)) >= count)
        return self.sent(kind)[-1]

    async def say(self, message: dict[str, Any]) -> None:
        """Send any message that the protocol allows."""
        await self.answering.send(message)

    async def drop(self, code: int = 1011, reason: str = "Internal error encountered.") -> None:
        """Close the connection; with 1006 it breaks without a word."""
        if code == 1006:
            self.socket.transport.abort()
        else:
            await self.socket.close(code, reason)

    def abandon(self) -> None:
        self.answering.stop()

    # The connection

    async def run(self) -> None:
        try:
            await self._converse()
        except Refused as refused:
            await self.socket.close(refused.code, refused.reason[:120])
        except ConnectionClosed:
            pass
        finally:
            self.answering.stop()
            await self.answering.stopped()
            self.ended.set()
            self._changed.set()

    async def _converse(self) -> None:
        self._check_key()
        await self._hear(await self.socket.recv())
        await self._set_up()
        async for frame in self.socket:
            await self._hear(frame)

    def _check_key(self) -> None:
        if self.vertex:
            return
        given = self.headers.get("x-goog-api-key") or parse_qs(urlsplit(self.path).query).get("key")
        if not given:
            raise Refused(1008, "Method doesn't allow unregistered callers.")
        if not {given if isinstance(given, str) else given[0]} <= self.fake.script.keys:
            raise Refused(1007, "API key not valid. Please pass a valid API key.")

    async def _hear(self, frame: str | bytes) -> None:
        message = read_message(frame)
        if (self.setup is None) != (message.kind == "setup"):
            raise Refused(1007, "The setup comes first, and once.")
        self.messages.append(message)
        match message.kind:
            case "setup":
                self._read_setup(message)
            case "client_content":
                await self._on_content(message.body)
            case "realtime_input":
                await self._on_input(message.body)
            case "tool_response":
                self._on_tool_response(message.body)
            case "context_update":
                self._on_context_update()
            case _:
                raise Refused(1007, "Request contains an invalid argument.")
        self._changed.set()

    # The setup

    def _read_setup(self, message: ClientMessage) -> None:
        self.generation = check_setup(message, vertex=self.vertex)
        self.setup = message.body
        taking = message.turn_taking or types.RealtimeInputConfig()
        detection = taking.automatic_activity_detection or types.AutomaticActivityDetection()
        self._by_hand = bool(detection.disabled)
        self._interruptible = taking.activity_handling != types.ActivityHandling.NO_INTERRUPTION
        self._ears.silence_ms = detection.silence_duration_ms or self._ears.silence_ms
        self._ears.prefix_ms = detection.prefix_padding_ms or self._ears.prefix_ms
        history = self.setup.history_config
        self._awaits_history = bool(history and history.initial_history_in_client_content)
        resumption = self.setup.session_resumption
        self.answering.hands_out_handles = resumption is not None
        if resumption is not None and resumption.handle:
            self._resume(resumption.handle)

    def _resume(self, handle: str) -> None:
        memory = self.fake.handles.get(handle)
        if memory is None or memory.expired:
            raise Refused(1008, f"BidiGenerateContent session not found: {handle}")
        earlier = memory.session
        assert earlier.setup is not None
        assert self.setup is not None
        if earlier.open:
            raise Refused(1011, "Internal error encountered.")
        if earlier.setup.model != self.setup.model:
            raise Refused(1007, "Request contains an invalid argument: model.")
        self.resumed_from = earlier

    async def _set_up(self) -> None:
        if self.fake.script.refuse_setup is not None:
            raise Refused(*self.fake.script.refuse_setup)
        await self._wait_in_silence(self.fake.script.setup_seconds)
        await self.say({"setupComplete": {"sessionId": f"session-{len(self.fake.sessions)}"}})
        self.ready = True
        self.fake.arrived()
        if self.answering.hands_out_handles:
            await self.answering.tell_handle(resumable=self.fake.script.resumable)

    async def _wait_in_silence(self, seconds: float) -> None:
        """Whoever talks before setupComplete is shown the door."""
        try:
            async with asyncio.timeout(seconds):
                await self.socket.recv()
        except TimeoutError:
            return
        raise Refused(1007, "Nothing may be sent before setupComplete.")

    # The conversation

    async def _on_content(self, content: types.LiveClientContent) -> None:
        turns = content.turns or []
        if any(turn.role not in {"user", "model"} or not turn.parts for turn in turns):
            raise Refused(1007, "Please use a valid role: user, model.")
        if self._awaits_history:
            self._awaits_history = not content.turn_complete
            return
        if self.generation == "3.1":
            raise Refused(1007, "Request contains an invalid argument: client content.")
        opening = not self.audio and len(self.messages) == 2
        if opening and turns and not content.turn_complete and turns[-1].role != "user":
            raise Refused(1007, "Please ensure that the turns end with a user role.")
        if content.turn_complete or not turns or self.generation == "2.5":
            await self.answering.interrupt()
        if content.turn_complete:
            self.answering.start()

    async def _on_input(self, given: types.LiveClientRealtimeInput) -> None:
        if self._awaits_history:
            raise Refused(1007, "The initial history is not complete.")
        if given.media_chunks is not None:
            raise Refused(1007, "media_chunks is deprecated. Use audio, video, or text instead.")
        if given.text is not None:
            await self.answering.interrupt()
            self.answering.start()
        if given.activity_start is not None or given.activity_end is not None:
            await self._on_activity(begins=given.activity_start is not None)
        if given.audio_stream_end is not None:
            if self._by_hand or self.vertex:
                raise Refused(1007, "Request contains an invalid argument: audioStreamEnd.")
            await self._on_speech(self._ears.flush())
        if given.audio is not None:
            await self._on_audio(given.audio)

    async def _on_audio(self, audio: types.Blob) -> None:
        rate = re.fullmatch(r"audio/pcm;\s?rate=(\d+)", audio.mime_type or "")
        if rate is None or not audio.data or len(audio.data) % 2:
            raise Refused(1007, "Request contains an invalid argument: audio.")
        if self._by_hand and not self._active:
            raise Refused(1007, "Audio without activityStart.")
        self.audio += audio.data
        if not self._by_hand:
            await self._on_speech(self._ears.hear(audio.data, int(rate[1])))

    async def _on_activity(self, *, begins: bool) -> None:
        if not self._by_hand:
            raise Refused(1007, "Explicit activity control is not supported when automatic is on.")
        if begins == self._active:
            raise Refused(1007, "Activities begin and end in turns.")
        self._active = begins
        await self._on_speech(["start" if begins else "end"])

    async def _on_speech(self, changes: list[str]) -> None:
        for change in changes:
            if self.fake.script.speech_events:
                kind = {"start": "ACTIVITY_START", "end": "ACTIVITY_END"}[change]
                offset = f"{self._ears.heard_ms / 1000}s"
                await self.say({"voiceActivity": {"type": kind, "audioOffset": offset}})
            if change == "start" and self._interruptible:
                await self.answering.interrupt()
            if change == "end":
                await self.answering.understand(self.fake.script.heard)
                self.answering.start()

    def _on_tool_response(self, given: types.LiveClientToolResponse) -> None:
        for response in given.function_responses or []:
            self.answering.take(response)

    def _on_context_update(self) -> None:
        if not self.generation.startswith("3.8"):
            raise Refused(1007, "Request contains an invalid argument: contextUpdate.")
