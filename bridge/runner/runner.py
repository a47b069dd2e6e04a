"""RealtimeRunner: a conversation with a model that runs its tools, takes updates and survives."""

from __future__ import annotations

import logging
import random
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Mapping
from typing import Self

from bridge.audio.formats import AudioChunk, AudioFormat
from bridge.errors import AudioFormatError, NotConnected
from bridge.ports import client_events as client
from bridge.ports.client_events import ClientEvent
from bridge.ports.conversation import HistoryItem, ToolAsked
from bridge.ports.model import Memory, RealtimeModel, ToolResponse
from bridge.ports.runner_events import Closed, RunnerEvent, RunnerListener, RunOutcome
from bridge.ports.session import RealtimeConfig
from bridge.ports.tools import ToolHandler, ToolJournal
from bridge.runner.builder import RealtimeRunnerBuilder
from bridge.runner.config import RunnerConfig
from bridge.runner.engine import Engine
from bridge.runner.handler import EventHandler, dispatch
from bridge.runner.state import Idle, PendingResumption, RunnerState
from bridge.runner.vocabulary import MessageAsked, ResponseAsked, UpdateAsked, UpdateResult

__all__ = ["RealtimeRunner"]

_log = logging.getLogger(__name__)


class RealtimeRunner:
    """
    One conversation with a model, over as many sessions as it takes.

    `tools` are offered to the model besides those that `config` names. `history`,
    `unanswered`, `token` and `unapplied` are what another runner left of the same
    conversation. What became of its tools is in the `journal`, so that none runs twice for
    one call.
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
        unanswered: tuple[ToolAsked, ...] = (),
        token: str | None = None,
        unapplied: PendingResumption | None = None,
        journal: ToolJournal | None = None,
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
            journal=journal,
            unanswered=unanswered,
            unapplied=unapplied,
            jitter=jitter,
        )
        self.handler_errors = 0
        """How often a method of the event handler raised."""
        self.feed: Callable[[bytes], None] = self._engine.link.feed
        """
        Is told caller audio in the session's input format, fifty times a second: that is the
        line's own. Never waits; held in a gap.
        """

    @staticmethod
    def builder() -> RealtimeRunnerBuilder:
        """Build a runner piece by piece."""
        return RealtimeRunnerBuilder(RealtimeRunner)

    # The session's life

    async def connect(self) -> None:
        """
        Connect, and return when the provider is ready.

        Connecting twice is harmless, and so is connecting in a gap: the runner sees to
        that itself. After the end it begins again with the same configuration and
        conversation. What may pass is tried again, three times in all; raises the last error.
        """
        await self._engine.connect()

    async def close(self) -> None:
        """
        End the conversation: tools are cancelled, the session is closed, `run` returns.

        Takes seconds at most, whatever a tool or a provider does. Closing twice is harmless;
        if this is cancelled the end takes its course.
        """
        self._engine.end(Closed())
        await self.wait()

    async def run(self) -> RunOutcome:
        """Hand every event to the event handler, until the runner is closed or the model lost."""
        inbox = self._engine.inbox
        while (happened := await inbox.get()) is not None:
            await self._tell_handler(happened)
        return (await inbox.last()).outcome

    async def wait(self) -> RunOutcome:
        """Return when the runner is closed or the model lost. May be cancelled without loss."""
        return (await self._engine.inbox.last()).outcome

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
    def memory(self) -> Memory | None:
        """What the current session knows of the conversation, None while there is none."""
        return self._engine.link.session.memory if self._engine.link.connected else None

    @property
    def state(self) -> RunnerState:
        return self._engine.machine.state if self._engine.outcome is None else Idle()

    @property
    def config(self) -> RealtimeConfig:
        """The configuration that everybody asked for so far, applied or not."""
        return self._engine.machine.config

    @property
    def applied_config(self) -> RealtimeConfig:
        """The configuration that is in force."""
        return self._engine.machine.applied

    @property
    def unapplied(self) -> PendingResumption | None:
        """What was asked for and is not in force yet, for another runner to see to."""
        return self._engine.machine.unapplied

    @property
    def resume_token(self) -> str | None:
        """The provider's newest token for this conversation, None while none will do. A secret."""
        return self._engine.machine.token

    @property
    def history(self) -> tuple[HistoryItem, ...]:
        """What was said so far, as the caller heard it."""
        return self._engine.conversation.history()

    def history_at(self, heard: Mapping[str, float]) -> tuple[HistoryItem, ...]:
        """The history at this moment, while the caller has heard so many ms of these items."""
        return self._engine.conversation.history(heard)

    @property
    def unanswered(self) -> tuple[ToolAsked, ...]:
        """The tool calls that have no answer yet, for the runner that comes next."""
        return self._engine.conversation.unanswered(self._engine.tools.begun)

    @property
    def dropped_audio(self) -> int:
        """Bytes of the caller's audio that found no session in time."""
        return self._engine.link.dropped_audio

    # What it hears

    def attach(self, listener: RunnerListener | None) -> None:
        """
        Call `listener` with each event as it comes; `run` and `next_event` get none then,
        and return at the end. None: nobody, and they get them again. A listener that raises is
        logged, and the session goes on.
        """
        self._engine.attach(listener)

    async def next_event(self) -> RunnerEvent | None:
        """The next event; None after Finished. May be cancelled without loss."""
        return await self._engine.inbox.get()

    async def events(self) -> AsyncIterator[RunnerEvent]:
        inbox = self._engine.inbox
        while (happened := await inbox.get()) is not None:
            yield happened

    # What it is told

    async def send_audio(self, audio: bytes | str | AudioChunk) -> None:
        """
        Caller audio: bytes in the session's input format, the same as base64, or a chunk.

        Held in a gap. Raises AudioFormatError when it is in another format, and
        NotConnected when no session has ever said which one it wants.
        """
        match audio:
            case bytes():
                self.feed(audio)
            case str():
                self.feed(AudioChunk.from_base64(audio, self._input_format).data)
            case AudioChunk(data, format):
                if format != self._input_format:
                    raise AudioFormatError(f"the session hears {self._input_format}, not {format}")
                self.feed(data)

    async def send_text(self, text: str) -> None:
        """A message from the user; the model answers when it is asked to, or at its turn."""
        self._talk(client.Message("user", text))

    async def commit_audio(self) -> None:
        await self._engine.outbox.send(client.InputAudioBufferCommit())

    async def clear_audio(self) -> None:
        await self._engine.outbox.send(client.InputAudioBufferClear())

    async def create_response(self, instructions: str | None = None) -> None:
        """Ask the model to speak, as soon as it and the caller are silent."""
        self.ask_response(instructions)

    def ask_response(self, instructions: str | None = None) -> None:
        """The same, at once; without a session the next one is asked."""
        self._engine.handle(ResponseAsked(instructions))

    async def interrupt(self) -> None:
        """Ask the model to stop what it is saying. Raises NotConnected without a session."""
        await self._engine.outbox.send(client.ResponseCancel())

    def tell(self, message: client.Message) -> None:
        """
        Put a message into the conversation, in order with all that the runner sends.

        Without a session the next one is told. If the model is to respond, it does as soon
        as it and the caller are silent.
        """
        self._engine.handle(MessageAsked(message))

    def truncate(self, item_id: str, heard_ms: int) -> None:
        """Of the model's item the caller heard only so much; never waits."""
        self._engine.truncate(item_id, heard_ms)

    async def send_tool_response(self, response: ToolResponse) -> None:
        """
        Answer a tool call. All answers of a turn go out together, then the model goes on.

        Raises TypeError or ValueError when JSON cannot say the output.
        """
        self._engine.answered(response.call_id, response.output)

    async def send_client_event(self, happened: ClientEvent) -> None:
        """
        Send an event; what concerns the runner itself goes through it.

        The provider's own conversation items are sent as they are, and a session that
        follows this one does not know of them.
        """
        match happened:
            case client.UpdateSession(change, bridge_message):
                await self.update_session_with_bridge(change, bridge_message)
            case client.ResponseCreate(instructions):
                self.ask_response(instructions)
            case client.AudioDelta(audio, format):
                await self.send_audio(audio if format is None else AudioChunk(audio, format))
            case client.ItemTruncate(item_id, heard_ms):
                self.truncate(item_id, heard_ms)
            case client.Message():
                self._talk(happened)
            case _:
                await self._engine.outbox.send(happened)

    def register_tools(self, tools: Iterable[ToolHandler]) -> None:
        """Know tools that the configuration names already, or that an update may offer later."""
        self._engine.tools.register(tools)

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
        several updates the last wins. Raises ServerError when the provider refuses, and
        NotConnected before `connect`. If this is cancelled the change is made all the same.
        """
        wish = UpdateAsked(change, bridge_message, respond)
        return await self._engine.update(wish, tools)

    @property
    def _input_format(self) -> AudioFormat:
        heard = self._engine.link.input_format
        if heard is None:
            raise NotConnected("no session has said yet which format it hears")
        return heard

    def _talk(self, message: client.Message) -> None:
        if not self._engine.link.connected:
            raise NotConnected("there is no session with the model")
        self.tell(message)

    async def _tell_handler(self, happened: RunnerEvent) -> None:
        await self._guarded(self._handler.on_event(happened))
        if (call := dispatch(self._handler, happened)) is not None:
            await self._guarded(call)

    async def _guarded(self, call: Awaitable[None]) -> None:
        try:
            await call
        except Exception as exc:
            self.handler_errors += 1
            _log.warning("the event handler raised %s", type(exc).__name__)
