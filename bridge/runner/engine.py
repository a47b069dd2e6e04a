"""
The engine of a runner: carries out what the machine decides.

Rule: what happens is told to the machine one fact after the other, and its commands are
done in their order, in the loop turn of the fact. Only slow things are tasks: tools,
changes of the session, new sessions. Control messages leave through one outbox, in order.
"""

from __future__ import annotations

import asyncio
import json
import logging
from collections import deque
from collections.abc import Callable, Coroutine, Iterable
from dataclasses import dataclass, replace
from typing import Any

from bridge.errors import NotConnected, RealtimeError
from bridge.ports import client_events as client
from bridge.ports import server_events as event
from bridge.ports.client_events import ClientEvent
from bridge.ports.conversation import HistoryItem
from bridge.ports.model import RealtimeModel, RealtimeSession, Resumption, ToolResponse
from bridge.ports.runner_events import (
    Finished,
    Lost,
    RunOutcome,
    ToolFinished,
    ToolOutcome,
    ToolStarted,
)
from bridge.ports.server_events import Drop, ServerEvent
from bridge.ports.session import RealtimeConfig
from bridge.ports.tools import ToolHandler
from bridge.runner.conversation import Conversation
from bridge.runner.inbox import RunnerInbox
from bridge.runner.link import Link
from bridge.runner.machine import RunnerMachine
from bridge.runner.resumption import delay_before, worth_retrying
from bridge.runner.tools import ToolPool
from bridge.runner.vocabulary import (
    Announce,
    Answer,
    CancelTool,
    Command,
    Connected,
    Fact,
    Finish,
    Mutate,
    MutationDone,
    MutationFailed,
    Respond,
    Resume,
    ResumeFailed,
    RunTool,
    Settle,
    Tell,
    TimeIsUp,
    ToolAnswered,
    UpdateAsked,
    UpdateResult,
)

__all__ = ["Engine", "RunnerConfig"]

OUTBOX_SIZE = 1_024  # control messages; the outbox is emptied in every turn of the loop

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class RunnerConfig:
    """How tools are run."""

    auto_execute_tools: bool = True
    """False: tool calls are only told; answer them with `send_tool_response`."""
    auto_respond_tools: bool = True
    """False: tools run, but their answers stay here; send them with `send_tool_response`."""
    max_concurrent_tools: int = 4


class Engine:
    """One conversation at work; `RealtimeRunner` is its face."""

    def __init__(
        self,
        model: RealtimeModel,
        config: RealtimeConfig,
        options: RunnerConfig,
        *,
        tools: Iterable[ToolHandler],
        history: tuple[HistoryItem, ...],
        token: str | None,
        jitter: Callable[[], float],
    ) -> None:
        self._model = model
        self._options = options
        self._jitter = jitter
        self.tools = ToolPool(
            max_concurrent=options.max_concurrent_tools,
            started=self._on_tool_started,
            done=self._on_tool_done,
        )
        self.tools.register(tools)
        self._config = _offering(config, self.tools)
        self._token = token
        self.conversation = Conversation(history)
        self.inbox = RunnerInbox()
        self.link = Link(model, self._on_session_event)
        self.machine = self._new_machine()
        self.outcome: RunOutcome | None = None
        self._over = asyncio.Event()
        self._facts: deque[Fact | ServerEvent] = deque()
        self._handling = False
        self._outbox: asyncio.Queue[Coroutine[Any, Any, None]] = asyncio.Queue(OUTBOX_SIZE)
        self._tasks: set[asyncio.Task[None]] = set()
        self._timer: asyncio.TimerHandle | None = None
        self._tickets: dict[int, asyncio.Future[UpdateResult]] = {}
        self._last_ticket = 0

    @property
    def token(self) -> str | None:
        """The provider's newest resume token, however late it came."""
        return self.machine.token or self._token

    async def connect(self) -> None:
        """Connect; what may pass is tried again. Raises the last error."""
        if self.outcome is not None:
            self._begin_anew()
        session = await self._first_session()
        self._spawn(self._empty_outbox(), "outbox")
        self._install(session)

    async def update(self, wish: UpdateAsked, tools: Iterable[ToolHandler] | None) -> UpdateResult:
        """Change the session. Raises what the provider refuses with."""
        if self.outcome is not None:
            raise NotConnected("the runner is closed")
        change = wish.change
        if tools is not None:
            offered = tuple(tools)
            self.tools.register(offered)
            change = replace(change, tools=tuple(tool.definition for tool in offered))
        self._last_ticket += 1
        answer: asyncio.Future[UpdateResult] = asyncio.get_running_loop().create_future()
        self._tickets[self._last_ticket] = answer
        self.handle(replace(wish, change=change, ticket=self._last_ticket))
        return await answer

    async def wait(self) -> RunOutcome:
        """Return when it is over. May be cancelled without loss."""
        await self._over.wait()
        assert self.outcome is not None
        return self.outcome

    # Carrying out

    def handle(self, fact: Fact | ServerEvent) -> None:
        """Tell the machine, do what it asks for; what happens meanwhile waits its turn."""
        self._facts.append(fact)
        if self._handling:
            return
        self._handling = True
        try:
            while self._facts:
                now = asyncio.get_running_loop().time()
                for command in self.machine.handle(self._facts.popleft(), now):
                    self.do(command)
        finally:
            self._handling = False
        self._set_timer()

    def do(self, command: Command) -> None:
        """Carry out one command."""
        match command:
            case RunTool():
                self.tools.run(command, self.machine.config.tools or ())
            case CancelTool(call_id):
                self.tools.cancel(call_id)
            case Answer(responses):
                self.send(self._send_answers(responses))
            case Respond(instructions):
                self.send(self.send_event(client.ResponseCreate(instructions)))
            case Tell(message):
                self.conversation.told(message)
                self.send(self.send_event(message))
            case Mutate(change):
                self._spawn(self._mutate(change), "mutate")
            case Resume():
                self._spawn(self._resume(command), "resume")
            case Settle(tickets, result, error):
                self._settle(tickets, result, error)
            case Announce(announced):
                self.inbox.put(announced)
            case Finish(outcome):
                self._spawn(self.end(outcome), "end")

    def send(self, message: Coroutine[Any, Any, None]) -> None:
        """Send a control message behind those that are already on their way."""
        self._outbox.put_nowait(message)

    async def _empty_outbox(self) -> None:
        """Send one control message after the other; what meets no session was for that session."""
        while True:
            message = await self._outbox.get()
            try:
                await message
            except RealtimeError as exc:
                _log.info("a message found no session: %s", type(exc).__name__)

    async def send_event(self, message: ClientEvent) -> None:
        await self.link.session.send_event(message)

    async def _send_answers(self, responses: tuple[ToolResponse, ...]) -> None:
        await self.link.session.send_tool_response(*responses)

    async def _release(self) -> None:
        self.link.release()

    async def _mutate(self, change: RealtimeConfig) -> None:
        try:
            outcome = await self.link.session.mutate_context(change)
        except RealtimeError as exc:
            self.handle(MutationFailed(exc))
        else:
            self.handle(MutationDone(outcome))

    async def _resume(self, command: Resume) -> None:
        resumption = Resumption(command.token, self.conversation.history())
        try:
            session = await self.link.open(command.config, resumption)
        except RealtimeError as exc:
            self.handle(ResumeFailed(exc))
        else:
            self._install(session)

    async def _first_session(self) -> RealtimeSession:
        attempts = 0
        while True:
            resumption = Resumption(self._token, self.conversation.history())
            try:
                return await self.link.open(self.machine.config, resumption)
            except RealtimeError as exc:
                attempts += 1
                if not worth_retrying(exc, attempts):
                    raise
                self._token = None  # a token that was refused once will not work again
            await asyncio.sleep(delay_before(attempts, self._jitter))

    def _install(self, session: RealtimeSession) -> None:
        """This session is the one; what it has to hear comes before the caller's audio."""
        self.conversation.voice_is(session.output_format)
        self.handle(Connected(session.memory, session.expires_in))
        self.send(self._release())

    # What it hears from below

    def _on_session_event(self, happened: ServerEvent) -> None:
        if isinstance(happened, event.Disconnected):
            self.link.lost()
        self.conversation.note(happened)
        self.handle(happened)
        self.inbox.put(happened)

    def _on_tool_started(self, call_id: str, name: str) -> None:
        self.inbox.put(ToolStarted(call_id, name))

    def _on_tool_done(
        self, call_id: str, name: str, answer: Any, outcome: ToolOutcome, seconds: float
    ) -> None:
        self.inbox.put(ToolFinished(call_id, name, outcome, seconds))
        if outcome is not ToolOutcome.CANCELLED and self._options.auto_respond_tools:
            self.answered(call_id, answer)

    def answered(self, call_id: str, output: Any) -> None:
        """A tool call has its answer."""
        self.conversation.answered(call_id, json.dumps(output, default=str, ensure_ascii=False))
        self.handle(ToolAnswered(call_id, output))

    # Housekeeping

    def _new_machine(self) -> RunnerMachine:
        return RunnerMachine(
            self._config,
            auto_execute_tools=self._options.auto_execute_tools,
            responds_to_tools=self._model.responds_to_tools,
            overlaps_sessions=self._model.overlaps_sessions,
            jitter=self._jitter,
        )

    def _begin_anew(self) -> None:
        """Nothing of what was under way survives a close; configuration and memory do."""
        self._config, self._token = self.machine.config, self.token
        self.machine = self._new_machine()
        self.inbox = RunnerInbox()
        self.link = Link(self._model, self._on_session_event)
        self.outcome = None
        self._over = asyncio.Event()

    def _settle(
        self, tickets: tuple[int, ...], result: UpdateResult, error: RealtimeError | None
    ) -> None:
        for ticket in tickets:
            answer = self._tickets.pop(ticket, None)
            if answer is None or answer.done():
                continue
            if result is UpdateResult.REJECTED:
                answer.set_exception(error or RealtimeError("the update was rejected"))
            else:
                answer.set_result(result)

    def _set_timer(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        deadline = self.machine.deadline
        if deadline is not None and self.outcome is None:
            loop = asyncio.get_running_loop()
            self._timer = loop.call_at(deadline, self.handle, TimeIsUp())

    def _spawn(self, work: Coroutine[Any, Any, None], name: str) -> None:
        task = asyncio.create_task(work, name=f"runner {name}")
        self._tasks.add(task)
        task.add_done_callback(self._task_done)

    def _task_done(self, task: asyncio.Task[None]) -> None:
        self._tasks.discard(task)
        if not task.cancelled() and (error := task.exception()) is not None:
            _log.error("the runner's task %s failed", task.get_name(), exc_info=error)
            self._spawn(self.end(Lost(Drop.LOST, "a fault of the bridge")), "end")

    async def end(self, outcome: RunOutcome) -> None:
        """Cancel the tools, close the session, tell Finished. Ending twice is harmless."""
        if self.outcome is not None:
            await self._over.wait()
            return
        self.outcome = outcome
        self._set_timer()
        self._settle(tuple(self._tickets), UpdateResult.REJECTED, None)
        await self.tools.close()
        current = asyncio.current_task()
        for task in [task for task in self._tasks if task is not current]:
            task.cancel()
        while not self._outbox.empty():
            self._outbox.get_nowait().close()
        await self.link.close()
        self.inbox.put(Finished(outcome))
        self._over.set()


def _offering(config: RealtimeConfig, tools: ToolPool) -> RealtimeConfig:
    """The configuration with the tools that have handlers, and those it names itself."""
    handled = tools.definitions()
    names = {tool.name for tool in handled}
    named = tuple(tool for tool in config.tools or () if tool.name not in names)
    return replace(config, tools=(*handled, *named)) if handled else config
