"""RealtimeRunner: a conversation with a model that runs its tools, takes updates and survives."""

from __future__ import annotations

import logging
import random
from collections.abc import AsyncIterator, Callable, Iterable
from typing import Self

from bridge.audio.formats import AudioChunk
from bridge.ports import client_events as client
from bridge.ports.client_events import ClientEvent
from bridge.ports.conversation import HistoryItem
from bridge.ports.model import RealtimeModel, ToolResponse
from bridge.ports.runner_events import Closed, RunnerEvent, RunnerListener, RunOutcome
from bridge.ports.session import RealtimeConfig
from bridge.ports.tools import ToolHandler
from bridge.runner.builder import RealtimeRunnerBuilder
from bridge.runner.engine import Engine, RunnerConfig
from bridge.runner.handler import EventHandler, dispatch
from bridge.runner.state import RunnerState
from bridge.runner.vocabulary import ResponseAsked, Tell, UpdateAsked, UpdateResult

__all__ = ["RealtimeRunner"]

_log = logging.getLogger(__name__)


class RealtimeRunner:
    """
    One conversation with a model, over as many sessions as it takes.

    `tools` are offered to the model besides those that `config` names. `history` and
    `token` are what another runner left of the same conversation.
    """

    def __init__(
        self,
        model: RealtimeModel,
        config: RealtimeConfig | None = None,
        *,
        tools: Iterable[ToolHandler] = (),
        event_handler: EventHandler | None = None,
        runner_config: RunnerConfig | None = None,
        history: tuple[HistoryItem, ...] = (),
        token: str | None = None,
        jitter: Callable[[], float] = random.random,
    ) -> None:
        self._handler = event_handler or EventHandler()
        self._engine = Engine(
            model,
            config or RealtimeConfig(),
            runner_config or RunnerConfig(),
            tools=tools,
            history=history,
            token=token,
            jitter=jitter,
        )
        self.handler_errors = 0
        """How often a method of the event handler raised."""

    @staticmethod
    def builder() -> RealtimeRunnerBuilder:
        """Build a runner piece by piece."""
        return RealtimeRunnerBuilder(RealtimeRunner)

    # The session's life

    async def connect(self) -> None:
        """
        Connect, and return when the provider is ready. Connecting twice is harmless.

        What may pass is tried again, three times in all; raises the last error.
        """
        if not self._engine.link.connected:
            await self._engine.connect()

    async def close(self) -> None:
        """End the conversation: tools are cancelled, the session is closed, `run` returns."""
        await self._engine.end(Closed())

    async def run(self) -> RunOutcome:
        """Hand every event to the event handler, until the runner is closed or the model lost."""
        while (happened := await self._engine.inbox.get()) is not None:
            await self._tell_handler(happened)
        return await self._engine.wait()

    async def wait(self) -> RunOutcome:
        """Return when the runner is closed or the model lost. May be cancelled without loss."""
        return await self._engine.wait()

    async def __aenter__(self) -> Self:
        await self.connect()
        return self

    async def __aexit__(self, *exc: object) -> None:
        await self.close()

    # What is known

    @property
    def is_connected(self) -> bool:
        return self._engine.link.connected

    @property
    def session_id(self) -> str | None:
        """The provider's id of the current session, None while there is none."""
        return self._engine.link.session.session_id if self._engine.link.connected else None

    @property
    def state(self) -> RunnerState:
        return self._engine.machine.state

    @property
    def config(self) -> RealtimeConfig:
        """The configuration that everybody asked for so far, applied or not."""
        return self._engine.machine.config

    @property
    def resume_token(self) -> str | None:
        """The provider's newest token for this conversation. A secret."""
        return self._engine.token

    @property
    def history(self) -> tuple[HistoryItem, ...]:
        """What was said so far, as the caller heard it."""
        return self._engine.conversation.history()

    @property
    def dropped_audio(self) -> int:
        """Bytes of the caller's audio that found no session in time."""
        return self._engine.link.dropped_audio

    # What it hears

    def attach(self, listener: RunnerListener) -> None:
        """Call `listener` with each event as it comes; `run` and `next_event` get none then."""
        self._engine.inbox.attach(listener)

    async def next_event(self) -> RunnerEvent | None:
        """The next event; None after Finished. May be cancelled without loss."""
        return await self._engine.inbox.get()

    async def events(self) -> AsyncIterator[RunnerEvent]:
        while (happened := await self._engine.inbox.get()) is not None:
            yield happened

    # What it is told

    def feed(self, audio: bytes) -> None:
        """Caller audio in the session's input format. Never waits; held in a gap."""
        self._engine.link.feed(audio)

    async def send_audio(self, audio: bytes | str | AudioChunk) -> None:
        """Caller audio: bytes in the session's input format, the same as base64, or a chunk."""
        match audio:
            case bytes():
                self.feed(audio)
            case str():
                await self._engine.link.session.send_audio_base64(audio)
            case AudioChunk():
                await self._engine.link.session.send_audio(audio)

    async def send_text(self, text: str) -> None:
        await self._engine.link.session.send_text(text)
        self._engine.conversation.told(client.Message("user", text))

    async def commit_audio(self) -> None:
        await self._engine.link.session.commit_audio()

    async def clear_audio(self) -> None:
        await self._engine.link.session.clear_audio()

    async def create_response(self, instructions: str | None = None) -> None:
        """Ask the model to speak, as soon as it and the caller are silent."""
        self.ask_response(instructions)

    def ask_response(self, instructions: str | None = None) -> None:
        """The same, at once; without a session the next one is asked."""
        self._engine.handle(ResponseAsked(instructions))

    async def interrupt(self) -> None:
        """Ask the model to stop what it is saying."""
        await self._engine.link.session.interrupt()

    def tell(self, message: client.Message) -> None:
        """Put a message into the conversation, in order with all that the runner sends."""
        self._engine.do(Tell(message))

    def truncate(self, item_id: str, heard_ms: int) -> None:
        """Of the model's item the caller heard only so much; never waits."""
        self._engine.conversation.truncate(item_id, heard_ms)
        self._engine.send(self._engine.send_event(client.ItemTruncate(item_id, heard_ms)))

    async def send_tool_response(self, response: ToolResponse) -> None:
        """Answer a tool call. All answers of a turn go out together, then the model goes on."""
        self._engine.answered(response.call_id, response.output)

    async def send_client_event(self, happened: ClientEvent) -> None:
        """Send an event; what concerns the runner itself (updates, responses) goes through it."""
        match happened:
            case client.UpdateSession(change, bridge_message):
                await self.update_session_with_bridge(change, bridge_message)
            case client.ResponseCreate(instructions):
                self.ask_response(instructions)
            case client.AudioDelta(audio, None):
                self.feed(audio)
            case client.ItemTruncate(item_id, heard_ms):
                self.truncate(item_id, heard_ms)
            case client.Message():
                await self._engine.link.session.send_event(happened)
                self._engine.conversation.told(happened)
            case _:
                await self._engine.link.session.send_event(happened)

    async def update_session(
        self, change: RealtimeConfig, *, tools: Iterable[ToolHandler] | None = None
    ) -> UpdateResult:
        """Change the session by what `change` names; see `update_session_with_bridge`."""
        return await self.update_session_with_bridge(change, None, tools=tools)

    async def update_session_with_bridge(
        self,
        change: RealtimeConfig,
        bridge_message: str | None,
        *,
        respond: bool = False,
        tools: Iterable[ToolHandler] | None = None,
    ) -> UpdateResult:
        """
        Change the session, and tell the model `bridge_message` once the change is in force.

        `tools` replaces what the model may call, handlers and all. Returns APPLIED when the
        provider has confirmed it, QUEUED when it waits for a good moment to resume; of
        several updates the last wins. Raises ServerError when the provider refuses.
        """
        wish = UpdateAsked(change, bridge_message, respond)
        return await self._engine.update(wish, tools)

    async def _tell_handler(self, happened: RunnerEvent) -> None:
        try:
            await self._handler.on_event(happened)
            if (call := dispatch(self._handler, happened)) is not None:
                await call
        except Exception as exc:
            self.handler_errors += 1
            _log.warning("the event handler raised %s", type(exc).__name__)
