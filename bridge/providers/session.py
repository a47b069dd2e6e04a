"""
The half of a realtime session that every provider on a WebSocket has.

Rule: what a provider says is its translator's affair. Here are the socket, the inbox,
the bound on the caller's audio, and the one end that every session comes to.
"""

from __future__ import annotations

import asyncio
import ssl
import uuid
from collections.abc import AsyncIterator, Iterable, Mapping, Sequence
from typing import Protocol

from bridge.audio.formats import AudioChunk, AudioFormat
from bridge.errors import AudioFormatError, Fault, SessionClosed
from bridge.ports import client_events as client
from bridge.ports.client_events import ClientEvent
from bridge.ports.model import EventListener, Memory, ToolResponse
from bridge.ports.server_events import AudioDelta, Disconnected, Drop, ServerEvent
from bridge.providers.congestion import Congestion
from bridge.providers.framing import new_mask
from bridge.providers.socket import ProviderSocket
from bridge.runner.inbox import session_inbox
from bridge.wire.framing import audio_frame

__all__ = ["SocketSession", "Translator"]


class Translator(Protocol):
    """A provider's words and ours, for one session. It neither waits nor looks at a clock."""

    def read(self, message: str | bytes) -> Iterable[ServerEvent]:
        """What one message tells, in order. An unreadable one is a BadFrame, never an error."""

    def write(self, event: ClientEvent) -> Iterable[str]:
        """The messages that say `event`. Raises UnsupportedConfig where there are no words."""

    @property
    def envelope(self) -> tuple[bytes, bytes]:
        """
        Of the message that carries caller audio in the session's input format, as UTF-8: what
        comes before its base64, and what comes behind.
        """

    def write_answers(self, responses: Sequence[ToolResponse]) -> Iterable[str]:
        """The messages that answer the tool calls of one turn, and ask for no response."""

    def read_close(self, code: int, reason: str) -> Disconnected:
        """What it means that the provider ended the connection with this close code."""


class SocketSession:
    """
    Everything of RealtimeSession that needs a translator only: all but `mutate_context`.

    The adapter calls `open`, sees to it that the provider is ready, and sets `session_id`,
    `memory` and `expires_in` before it gives the session away.
    """

    __slots__ = (
        "_before",
        "_behind",
        "_clogged",
        "_closing",
        "_congestion",
        "_inbox",
        "_socket",
        "_time",
        "_translator",
        "dropped_audio",
        "expires_in",
        "input_format",
        "memory",
        "output_format",
        "session_id",
    )

    def __init__(
        self, translator: Translator, *, input_format: AudioFormat, output_format: AudioFormat
    ) -> None:
        self.session_id = uuid.uuid4().hex
        self.memory = Memory.NONE
        self.expires_in: float | None = None
        self.input_format = input_format
        self.output_format = output_format
        self.dropped_audio = 0
        """Pieces of caller audio that were dropped because the network did not take them."""
        self._translator = translator
        self._before, self._behind = translator.envelope
        self._socket: ProviderSocket | None = None
        self._inbox = session_inbox()
        self._closing = False
        self._congestion = Congestion(input_format)
        self._clogged = False  # when it was last looked at
        self._time = asyncio.get_running_loop().time

    async def open(
        self,
        url: str,
        *,
        headers: Mapping[str, str] | None = None,
        open_timeout: float = 10.0,
        ping_interval: float | None = None,
        ping_timeout: float | None = None,
        ssl_context: ssl.SSLContext | None = None,
    ) -> None:
        """Open the socket. Raises AuthError or ConnectError. May be cancelled without loss."""
        self._socket = await ProviderSocket.connect(
            url,
            headers=headers,
            on_message=self._hear,
            on_close=self._end,
            open_timeout=open_timeout,
            ping_interval=ping_interval,
            ping_timeout=ping_timeout,
            ssl_context=ssl_context,
        )

    @property
    def is_connected(self) -> bool:
        return self._socket is not None and self._socket.is_open and not self._closing

    # Receiving.

    def attach(self, listener: EventListener) -> None:
        self._inbox.attach(listener)

    async def next_event(self) -> ServerEvent | None:
        return await self._inbox.get()

    async def events(self) -> AsyncIterator[ServerEvent]:
        while (event := await self.next_event()) is not None:
            yield event

    def notice(self, event: ServerEvent) -> None:
        """See each event but audio before its listener does: for who waits for an answer."""

    def _hear(self, message: str | bytes) -> None:
        if self._closing:
            return
        for event in self._translator.read(message):
            if not isinstance(event, AudioDelta):
                self.notice(event)
            self._inbox.put(event)

    # Sending.

    def feed(self, audio: bytes) -> None:
        socket = self._socket
        if socket is None or self._closing:
            return
        if socket.clogged or self._clogged:
            self._clogged = socket.clogged  # so that it is judged once more when all is taken
            if not self._congestion.admits(socket.buffered(), self._time()):
                self.dropped_audio += 1
                return
        write = socket.write
        write(audio_frame(self._before, audio, self._behind, new_mask()))

    async def send_audio(self, audio: AudioChunk) -> None:
        if audio.format != self.input_format:
            raise AudioFormatError(f"this session hears {self.input_format}, not {audio.format}")
        if not self.is_connected:
            raise SessionClosed("the session is over")
        self.feed(audio.data)

    async def send_audio_base64(self, audio_base64: str) -> None:
        await self.send_audio(AudioChunk.from_base64(audio_base64, self.input_format))

    async def send_text(self, text: str) -> None:
        await self.send_event(client.Message("user", text))

    async def send_tool_response(self, *responses: ToolResponse) -> None:
        self.send_messages(self._translator.write_answers(responses))

    async def commit_audio(self) -> None:
        await self.send_event(client.InputAudioBufferCommit())

    async def clear_audio(self) -> None:
        await self.send_event(client.InputAudioBufferClear())

    async def create_response(self, instructions: str | None = None) -> None:
        await self.send_event(client.ResponseCreate(instructions))

    async def interrupt(self) -> None:
        await self.send_event(client.ResponseCancel())

    async def send_event(self, event: ClientEvent) -> None:
        if isinstance(event, client.AudioDelta):
            await self.send_audio(AudioChunk(event.audio, event.format or self.input_format))
        else:
            self.send_messages(self._translator.write(event))

    def send_messages(self, messages: Iterable[str]) -> None:
        """Send what a translator wrote. Raises SessionClosed when the session is over."""
        if self._socket is None or self._closing:
            raise SessionClosed("the session is over")
        for message in messages:
            self._socket.send(message)

    # Ending.

    async def close(self) -> None:
        self._closing = True
        if self._socket is not None:
            await self._socket.close()

    def abort(self) -> None:
        """Be gone at once, without a goodbye."""
        self._closing = True
        if self._socket is not None:
            self._socket.abort()

    def _end(self, code: int, reason: str) -> None:
        if self._closing:
            last = Disconnected(Drop.CLOSED, Fault.NOBODY, code)
        else:
            last = self._translator.read_close(code, reason)
        self.notice(last)
        self._inbox.put(last)
