"""A session with Gemini Live."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable

from bridge.alarm import Alarm
from bridge.audio.formats import PCM16_16K, PCM16_24K
from bridge.errors import AuthError, ConnectError, ResumptionRefused, ServerError, SessionClosed
from bridge.ports import client_events as client
from bridge.ports.client_events import ClientEvent
from bridge.ports.model import Applied, ContextMutationOutcome, RequiresResumption
from bridge.ports.server_events import (
    Disconnected,
    Error,
    ServerEvent,
    SessionCreated,
    Severity,
)
from bridge.ports.session import RealtimeConfig
from bridge.providers.gemini.patience import Patience
from bridge.providers.session import SocketSession
from bridge.wire.gemini import Capabilities, GeminiTranslator, write_context_update
from bridge.wire.gemini.closing import refusal

__all__ = ["GeminiSession"]

SILENT_CONSENT = 0.5  # seconds without a refusal, after which a context update has been taken

_GIVEN_UP = 1006  # the close code of a connection that nobody closed
_LIVE_FIELDS = frozenset({"instruction", "tools"})


class GeminiSession(SocketSession):
    """
    RealtimeSession on Gemini Live. PCM16 goes in at 16 kHz and comes out at 24 kHz.

    Three things differ from other providers. There is no word for truncating an item: the
    server keeps its own account of what was heard. Text for the conversation cuts off an
    answer that is under way. And no connection is pinged, because Google answers pings too
    late for them to prove anything; a server that owes an answer and says nothing, or a
    network that takes no audio, is given up as Drop.LOST when `patience` runs out.
    """

    def __init__(
        self,
        translator: GeminiTranslator,
        capabilities: Capabilities,
        patience: Patience,
        *,
        consent: float = SILENT_CONSENT,
    ) -> None:
        super().__init__(translator, input_format=PCM16_16K, output_format=PCM16_24K)
        self._loop = asyncio.get_running_loop()
        self._gemini = translator
        self._capabilities = capabilities
        self._patience = patience
        self._consent = consent
        self._alarm = Alarm(self._wake)
        self._verdict: asyncio.Future[SessionCreated | Disconnected | Error] = (
            self._loop.create_future()
        )
        self._ended: asyncio.Future[Disconnected] = self._loop.create_future()

    async def begin(self, setup: str, *, history: str | None = None, resuming: bool) -> None:
        """
        Send the setup, wait until the server is ready, and tell it the history.

        Raises AuthError, ResumptionRefused (only when `resuming`) or ConnectError;
        SessionClosed when it went as soon as it was there.
        """
        if self.is_connected:
            self.send_messages([setup])
        match await self._verdict:
            case SessionCreated(session):
                self.session_id = str(session.get("sessionId") or self.session_id)
                self.send_messages([] if history is None else [history])
            case Disconnected() as end:
                raise refusal(end, resuming=resuming)
            case Error() as error:
                raise _refusal_in_words(error, resuming=resuming)

    @property
    def close_code(self) -> int:
        """The WebSocket close code of a session that ended, else 0."""
        return self._ended.result().code if self._ended.done() else 0

    def notice(self, event: ServerEvent) -> None:
        if isinstance(event, SessionCreated | Disconnected | Error) and not self._verdict.done():
            self._verdict.set_result(event)

    # Sending

    def feed(self, audio: bytes) -> None:
        if not self.is_connected:
            return
        super().send_messages(self._gemini.write_activity())
        dropped = self.dropped_audio
        super().feed(audio)
        if self.dropped_audio == dropped:
            self._patience.flowing()
            return
        self._patience.blocked(self._loop.time())
        if self._patience.exhausted(self._loop.time()):
            self._loop.call_soon(self._give_up)

    async def send_event(self, event: ClientEvent) -> None:
        await super().send_event(event)
        if isinstance(event, client.ResponseCancel):
            # The listener may be in the middle of asking us; it hears the answer afterwards.
            self._loop.call_soon(self._tell, self._gemini.cut())

    def send_messages(self, messages: Iterable[str]) -> None:
        super().send_messages(messages)
        self._watch()

    async def mutate_context(self, change: RealtimeConfig) -> ContextMutationOutcome:
        """
        Instructions and tools can be changed where the model knows `contextUpdate`.

        The server confirms nothing: it takes messages in order, and closes the connection
        on one that it refuses. So half a second without that counts as consent.
        """
        named = change.named().keys()
        if not self._capabilities.context_update or not named <= _LIVE_FIELDS:
            return RequiresResumption()
        if named:
            self.send_messages([write_context_update(change, self._capabilities)])
            await self._wait_for_consent()
        return Applied()

    async def _wait_for_consent(self) -> None:
        await asyncio.wait([self._ended], timeout=self._consent)
        if self._closing:
            raise SessionClosed("the session was closed during a context update")
        if not self._ended.done():
            return
        end = self._ended.result()
        if end.code in {1007, 1008}:
            raise ServerError(str(end.code), end.detail)
        raise SessionClosed("the session ended during a context update")

    # Receiving

    def _hear(self, message: str | bytes) -> None:
        self._patience.heard(self._loop.time())
        super()._hear(message)
        self._watch()

    def _tell(self, events: Iterable[ServerEvent]) -> None:
        for event in events:
            self.notice(event)
            self._inbox.put(event)

    # Ending

    async def close(self) -> None:
        self._stop_watching()
        await super().close()

    def _end(self, code: int, reason: str) -> None:
        self._stop_watching()
        self._tell(self._gemini.finish())
        if not self._ended.done():
            self._ended.set_result(self._gemini.read_close(code, reason))
        super()._end(code, reason)

    def _give_up(self) -> None:
        """Nobody is there to say goodbye to."""
        if self._closing or self._ended.done():
            return
        self._end(_GIVEN_UP, "the connection has gone silent")
        self.abort()

    # Patience

    def _watch(self) -> None:
        if not self._gemini.owes:
            self._patience.settled()
        elif not self._ended.done():
            self._patience.owed(self._loop.time())
            self._alarm.set(self._patience.deadline)

    def _wake(self) -> None:
        if self._patience.exhausted(self._loop.time()):
            self._give_up()
        else:
            self._alarm.set(self._patience.deadline)

    def _stop_watching(self) -> None:
        self._alarm.stop()


def _refusal_in_words(error: Error, *, resuming: bool) -> ConnectError:
    """Some proxies answer the setup with an error message instead of a close code."""
    why = f"Gemini refused the setup ({error.error.code} {error.error.type})".strip()
    if error.severity is Severity.FATAL:
        return AuthError(why)
    return ResumptionRefused(why) if resuming else ConnectError(why, retryable=False)
