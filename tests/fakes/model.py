"""
A realtime model that stands behind the doors of `bridge.ports.model`, without a network.

It remembers what it was told, in order, and does nothing by itself: a test says what the
server says (`session.emit`), how connecting goes (`FakeModel(outcomes=...)`), and what
becomes of a change (`session.changes`). It is strict: whatever is sent to a session after
somebody closed it is kept in `said_after_close`, which has to stay empty.
"""

from __future__ import annotations

import asyncio
import base64
from collections import deque
from collections.abc import AsyncIterator, Callable, Iterable, Sequence
from dataclasses import dataclass

from bridge.audio.formats import PCM16_24K, AudioChunk, AudioFormat
from bridge.errors import AudioFormatError, RealtimeError, SessionClosed
from bridge.ports import client_events as client
from bridge.ports.client_events import ClientEvent
from bridge.ports.model import (
    Applied,
    ContextMutationOutcome,
    EventListener,
    Memory,
    RequiresResumption,
    Resumption,
    ToolResponse,
)
from bridge.ports.server_events import Disconnected, Drop, ServerEvent
from bridge.ports.session import RealtimeConfig
from bridge.runner.inbox import session_inbox

__all__ = ["Answers", "FakeModel", "FakeSession", "Gate", "Sent", "turns"]

Gate = asyncio.Event
"""Something hangs until the test sets it."""

Step = BaseException | Gate | Drop | None
Change = ContextMutationOutcome | BaseException | Gate


async def turns(count: int = 25) -> None:
    """Let the loop turn until everything that can happen without waiting has happened."""
    for _ in range(count):
        await asyncio.sleep(0)


@dataclass(frozen=True, slots=True)
class Answers:
    """A `send_tool_response`, as the session remembers it."""

    responses: tuple[ToolResponse, ...]


Sent = ClientEvent | Answers | bytes
"""What a session was told; caller audio is bytes."""


class FakeSession:
    """
    One session. `told` is all it was told, in order; `changes` says what becomes of updates.
    Sending and closing hang while they have a gate.
    """

    def __init__(
        self,
        number: int,
        config: RealtimeConfig,
        resumption: Resumption | None,
        *,
        memory: Memory,
        expires_in: float | None,
        changes: Iterable[Change],
    ) -> None:
        self.session_id = f"s{number}"
        self.config = config
        self.resumption = resumption or Resumption()
        self.memory = memory
        self.expires_in = expires_in
        self.input_format: AudioFormat = PCM16_24K
        self.output_format: AudioFormat = PCM16_24K
        self.changes: deque[Change] = deque(changes)
        self.mutations: list[RealtimeConfig] = []
        self.told: list[Sent] = []
        self.said_after_close: list[Sent] = []
        self._refused: list[tuple[ClientEvent, Exception]] = []
        self.send_gate: Gate | None = None
        self.close_gate: Gate | None = None
        self.close_error: RealtimeError | None = None
        self.closes = 0
        self._news = asyncio.Event()
        self._inbox = session_inbox()
        self._connected = True
        self._closed = False

    # For the test

    def emit(self, *events: ServerEvent) -> None:
        """The server says this. Nothing can be said behind Disconnected."""
        for happened in events:
            if isinstance(happened, Disconnected):
                self._connected = False
            self._inbox.put(happened)
            self._news.set()

    def refuse(self, event: ClientEvent, error: Exception) -> None:
        """From now on this event is answered with this error."""
        self._refused.append((event, error))

    def drop(self, drop: Drop = Drop.LOST, *, detail: str = "") -> None:
        """The connection ends, and not by our doing."""
        self.emit(Disconnected(drop, detail=detail))

    @property
    def closed(self) -> bool:
        return self._closed

    @property
    def attached(self) -> bool:
        return self._inbox._listener is not None

    @property
    def listener_errors(self) -> int:
        return self._inbox.listener_errors

    @property
    def audio(self) -> bytes:
        """All the caller's audio that came here."""
        return b"".join(told for told in self.told if isinstance(told, bytes))

    @property
    def said(self) -> list[ClientEvent | Answers]:
        """What it was told but audio."""
        return [told for told in self.told if not isinstance(told, bytes)]

    async def until(self, condition: Callable[[FakeSession], bool]) -> None:
        """Wait until what this session was told fits."""
        while not condition(self):
            self._news.clear()
            await self._news.wait()

    # RealtimeSession

    @property
    def is_connected(self) -> bool:
        return self._connected

    def attach(self, listener: EventListener) -> None:
        self._inbox.attach(listener)

    def feed(self, audio: bytes) -> None:
        if self._connected:
            self._remember(audio)

    async def send_audio(self, audio: AudioChunk) -> None:
        if audio.format != self.input_format:
            raise AudioFormatError("not the session's format")
        self._send(audio.data)

    async def send_audio_base64(self, audio_base64: str) -> None:
        self._send(base64.b64decode(audio_base64))

    async def send_text(self, text: str) -> None:
        await self.send_event(client.Message("user", text))

    async def send_tool_response(self, *responses: ToolResponse) -> None:
        self._send(Answers(responses))

    async def commit_audio(self) -> None:
        await self.send_event(client.InputAudioBufferCommit())

    async def clear_audio(self) -> None:
        await self.send_event(client.InputAudioBufferClear())

    async def create_response(self, instructions: str | None = None) -> None:
        await self.send_event(client.ResponseCreate(instructions))

    async def interrupt(self) -> None:
        await self.send_event(client.ResponseCancel())

    async def send_event(self, event: ClientEvent) -> None:
        assert not isinstance(event, client.UpdateSession), "that is the runner's own"
        if self.send_gate is not None:
            await self.send_gate.wait()
        for refused, error in self._refused:
            if event == refused:
                raise error
        self._send(event)

    async def next_event(self) -> ServerEvent | None:
        return await self._inbox.get()

    async def events(self) -> AsyncIterator[ServerEvent]:
        while (event := await self.next_event()) is not None:
            yield event

    async def close(self) -> None:
        self.closes += 1
        self._connected = False
        self._closed = True
        if self.close_gate is not None:
            await self.close_gate.wait()
        self.emit(Disconnected(Drop.CLOSED))
        if self.close_error is not None:
            raise self.close_error

    async def mutate_context(self, change: RealtimeConfig) -> ContextMutationOutcome:
        if not self._connected:
            raise SessionClosed("the session is over")
        self.mutations.append(change)
        self._news.set()
        outcome: Change = self.changes.popleft() if self.changes else Applied()
        if isinstance(outcome, asyncio.Event):
            await outcome.wait()
            outcome = self.changes.popleft() if self.changes else Applied()
        if isinstance(outcome, BaseException):
            raise outcome
        assert isinstance(outcome, Applied | RequiresResumption)
        return outcome

    def _send(self, told: Sent) -> None:
        if not self._connected:
            if self._closed:
                self.said_after_close.append(told)
            raise SessionClosed("the session is over")
        self._remember(told)

    def _remember(self, told: Sent) -> None:
        self.told.append(told)
        self._news.set()


class FakeModel:
    """
    `outcomes` says how connecting goes, one after the other: an error is raised, a Gate
    hangs until it is set and then the next outcome counts, None connects, a Drop connects
    to a session that has ended already. After the last it connects. `changes` is what
    every session makes of its updates.
    """

    provider = "fake"
    model_id = "fake-1"
    supports_realtime = True
    supported_input_formats: Sequence[AudioFormat] = (PCM16_24K,)
    supported_output_formats: Sequence[AudioFormat] = (PCM16_24K,)
    available_voices: Sequence[str] = ("plain",)

    def __init__(
        self,
        outcomes: Iterable[Step] = (),
        *,
        overlaps_sessions: bool = True,
        responds_to_tools: bool = False,
        tells_speech: bool = True,
        memory: Memory = Memory.REPLAYED,
        expires_in: float | None = None,
        changes: Iterable[Change] = (),
    ) -> None:
        self.outcomes: deque[Step] = deque(outcomes)
        self.overlaps_sessions = overlaps_sessions
        self.responds_to_tools = responds_to_tools
        self.tells_speech = tells_speech
        self.memory = memory
        self.expires_in = expires_in
        self.changes = tuple(changes)
        self.configs: list[RealtimeConfig] = []
        self.resumptions: list[Resumption] = []
        self.sessions: list[FakeSession] = []
        self._news = asyncio.Event()

    # For the test

    @property
    def session(self) -> FakeSession:
        """The newest session."""
        return self.sessions[-1]

    @property
    def dials(self) -> int:
        """How often somebody tried to connect."""
        return len(self.configs)

    async def sessions_made(self, count: int) -> FakeSession:
        """Wait for so many sessions; returns the newest."""
        while len(self.sessions) < count:
            self._news.clear()
            await self._news.wait()
        return self.sessions[count - 1]

    def check(self) -> None:
        """Nothing was sent to a session after it was closed, and none was left open."""
        assert [session.said_after_close for session in self.sessions if session.closed] == [
            [] for session in self.sessions if session.closed
        ]
        assert [session.session_id for session in self.sessions if not session.closed] == []

    # RealtimeModel

    async def connect(
        self, config: RealtimeConfig, resumption: Resumption | None = None
    ) -> FakeSession:
        self.configs.append(config)
        self.resumptions.append(resumption or Resumption())
        self._news.set()
        drop = await self._outcome()
        open_sessions = [session for session in self.sessions if session.is_connected]
        assert self.overlaps_sessions or not open_sessions, "the old session is still open"
        resumed = resumption is not None and bool(resumption.token or resumption.history)
        session = FakeSession(
            len(self.sessions) + 1,
            config,
            resumption,
            memory=self.memory if resumed else Memory.NONE,
            expires_in=self.expires_in,
            changes=self.changes,
        )
        if drop is not None:
            session.drop(drop)
        self.sessions.append(session)
        self._news.set()
        return session

    async def _outcome(self) -> Drop | None:
        """Fail, hang, or say how the new session ends at once, if it does."""
        while self.outcomes:
            outcome = self.outcomes.popleft()
            if isinstance(outcome, asyncio.Event):
                await outcome.wait()
            elif isinstance(outcome, BaseException):
                raise outcome
            else:
                return outcome
        return None
