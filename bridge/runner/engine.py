"""
The engine of a runner: carries out what the machine decides.

Rule: what happens is told to the machine one fact after the other, and its commands are
done in their order, in the loop turn of the fact. Only slow things are tasks: tools,
changes of the session, new sessions. Control messages leave through one outbox, in order.
Once it has begun to end nothing is decided any more.
"""

from __future__ import annotations

import asyncio
import json
import logging
from collections import deque
from collections.abc import Callable, Coroutine, Iterable
from dataclasses import replace
from typing import Any

from bridge.alarm import Alarm
from bridge.errors import NotConnected, RealtimeError, SessionClosed
from bridge.functions.results import plain
from bridge.ports import client_events as client
from bridge.ports import server_events as event
from bridge.ports.conversation import HistoryItem, ToolAsked
from bridge.ports.model import RealtimeModel, RealtimeSession, Resumption
from bridge.ports.runner_events import (
    Finished,
    Lost,
    RunnerListener,
    RunOutcome,
    ToolFinished,
    ToolOutcome,
    ToolStarted,
)
from bridge.ports.server_events import Drop, ServerEvent
from bridge.ports.session import RealtimeConfig
from bridge.ports.tools import ToolHandler, ToolJournal
from bridge.runner.config import RunnerConfig, offering
from bridge.runner.conversation import Conversation
from bridge.runner.inbox import runner_inbox
from bridge.runner.link import Link
from bridge.runner.machine import RunnerMachine
from bridge.runner.outbox import Outbox, Release
from bridge.runner.resumption import delay_after, worth_retrying
from bridge.runner.state import PendingResumption
from bridge.runner.tickets import Tickets
from bridge.runner.tools import ToolPool
from bridge.runner.vocabulary import (
    Announce,
    Answer,
    CancelTool,
    Command,
    Connected,
    Connecting,
    Fact,
    Finish,
    Inherited,
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

PATIENCE = 1.0  # seconds that our own tasks have to stop when it ends

_log = logging.getLogger(__name__)


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
        journal: ToolJournal | None,
        unanswered: tuple[ToolAsked, ...],
        unapplied: PendingResumption | None,
        jitter: Callable[[], float],
    ) -> None:
        self._model = model
        self._options = options
        self._jitter = jitter
        self.tools = ToolPool(
            max_concurrent=options.max_concurrent_tools,
            journal=journal,
        )
        self.tools.register(tools)
        self.conversation = Conversation(history, unanswered)
        self._inherited = unanswered
        self._listener: RunnerListener | None = None
        self._handling = False
        self._connecting = asyncio.Lock()
        self._tasks: set[asyncio.Task[None]] = set()
        self._tickets = Tickets()
        self.link = Link(model, self._on_session_event)
        self._begin(offering(config, self.tools.definitions()), token, unapplied)

    def _begin(
        self,
        config: RealtimeConfig,
        token: str | None,
        unapplied: PendingResumption | None = None,
    ) -> None:
        """Nothing of what was under way survives an end; configuration and memory do."""
        self.machine = RunnerMachine(
            config,
            auto_execute_tools=self._options.auto_execute_tools,
            responds_to_tools=self._model.responds_to_tools,
            overlaps_sessions=self._model.overlaps_sessions,
            token=token,
            unapplied=unapplied,
            jitter=self._jitter,
        )
        self._alarm = Alarm(lambda: self.handle(TimeIsUp()))
        self._facts: deque[Fact | ServerEvent] = deque()
        self.inbox = runner_inbox()
        if self._listener is not None:
            self.inbox.attach(self._listener)
        self.link.begin(self._on_session_event)
        self.outbox = Outbox(self.link)
        self.outcome: RunOutcome | None = None
        self._started = False

    # Its life

    async def connect(self) -> None:
        """Connect, unless that was done; what may pass is tried again. Raises the last error."""
        async with self._connecting:
            if self.outcome is not None:
                await self.inbox.last()
                self._begin(self.machine.config, self.machine.token)
            if not self._started:
                await self._start()

    def end(self, outcome: RunOutcome) -> None:
        """Begin to end: the inbox's `last` says when that is done. Twice is harmless."""
        if self.outcome is not None:
            return
        self.outcome = outcome
        self._alarm.stop()
        self.outbox.close()
        self._tickets.reject_all(SessionClosed("the runner is closed"))
        self._spawn(self._end(outcome), "end")

    async def _start(self) -> None:
        self._started = True
        task = asyncio.create_task(self._first_session(), name="runner connect")
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        try:
            await task
        except BaseException as exc:
            if task.done() and not task.cancelled() and task.exception() is None:
                raise  # only the one who waited gave up, at the very last moment
            self._started = False
            why = exc if isinstance(exc, RealtimeError) else NotConnected("there is no session")
            self._tickets.reject_all(why)
            if task.cancelled() and not _cancelled_ourselves():
                raise NotConnected("the runner was closed while it connected") from None
            raise

    async def _first_session(self) -> None:
        unapplied = self.machine.unapplied
        attempts = unapplied.attempts if unapplied else 0
        self.handle(Inherited(self._inherited))
        self._inherited = ()
        await self.tools.looked_up()
        while True:
            self.handle(Connecting())
            resumption = Resumption(self.machine.token, self.conversation.history())
            try:
                session = await self.link.open(self.machine.config, resumption)
            except RealtimeError as exc:
                attempts += 1
                if not self.machine.first_failed(exc, attempts):
                    raise
                attempts = attempts if worth_retrying(exc, attempts) else 0
                await asyncio.sleep(delay_after(exc, attempts, self._jitter))
            else:
                self._spawn(self.outbox.run(), "outbox")
                self._install(session)
                return

    async def _end(self, outcome: RunOutcome) -> None:
        """Cancel what is under way, close the session, tell Finished."""
        try:
            await self.tools.close()
            tasks = [task for task in self._tasks if task is not asyncio.current_task()]
            for task in tasks:
                task.cancel()
            if tasks:
                await asyncio.wait(tasks, timeout=PATIENCE)
            await self.link.close()
        finally:
            self.inbox.put(Finished(outcome))

    # What it is told

    def attach(self, listener: RunnerListener | None) -> None:
        """Call `listener` with each event, of this life and of the next; None: nobody."""
        self._listener = listener
        self.inbox.attach(listener)

    def handle(self, fact: Fact | ServerEvent) -> None:
        """Tell the machine, do what it asks for; what happens meanwhile waits its turn."""
        if self.outcome is not None:
            return
        self._facts.append(fact)
        if self._handling:
            return
        self._handling = True
        try:
            while self._facts:
                now = asyncio.get_running_loop().time()
                for command in self.machine.handle(self._facts.popleft(), now):
                    self._do(command)
        finally:
            self._handling = False
            if self.outcome is None:
                self._alarm.set(self.machine.deadline)

    async def update(self, wish: UpdateAsked, tools: Iterable[ToolHandler] | None) -> UpdateResult:
        """Change the session. Raises what the provider refuses with."""
        if self.outcome is not None or not self._started:
            raise NotConnected("there is no session to change")
        change = wish.change
        if tools is not None:
            offered = tuple(tools)
            self.tools.register(offered)
            change = replace(change, tools=tuple(tool.definition for tool in offered))
        ticket = self._tickets.draw()
        self.handle(replace(wish, change=change, ticket=ticket))
        return await self._tickets.result(ticket)

    def answered(self, call_id: str, output: Any) -> None:
        """A tool call has its answer. Raises TypeError or ValueError when JSON cannot say it."""
        output = plain(output)
        self.conversation.answered(call_id, json.dumps(output, ensure_ascii=False))
        self.handle(ToolAnswered(call_id, output))

    def truncate(self, item_id: str, heard_ms: int) -> None:
        """Of the model's item the caller heard only so much."""
        self.conversation.truncate(item_id, heard_ms)
        if self.link.connected:
            self.outbox.put(client.ItemTruncate(item_id, heard_ms))

    # What it hears from below

    def _on_session_event(self, happened: ServerEvent) -> None:
        if isinstance(happened, event.AudioDelta):  # most events are, and decide nothing
            self.conversation.voiced(happened.item_id, len(happened.delta))
        else:
            self.link.note(happened)
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

    # What it does

    def _do(self, command: Command) -> None:
        match command:
            case RunTool():
                self.tools.run(
                    command,
                    self.machine.offered,
                    started=self._on_tool_started,
                    done=self._on_tool_done,
                )
            case CancelTool(call_id):
                self.tools.cancel(call_id)
            case Answer():
                self.outbox.put(command)
            case Respond(instructions):
                self.outbox.put(client.ResponseCreate(instructions))
            case Tell(message, remember):
                if remember:
                    self.conversation.told(message)
                self.outbox.put(message)
            case Mutate(change):
                self._spawn(self._mutate(change), "mutate")
            case Resume():
                self._spawn(self._resume(command), "resume")
            case Settle(tickets, result, error):
                self._tickets.settle(tickets, result, error)
            case Announce(announced):
                self.inbox.put(announced)
            case Finish(outcome):
                self.end(outcome)

    async def _mutate(self, change: RealtimeConfig) -> None:
        try:
            outcome = await self.link.mutate(change)
        except RealtimeError as exc:
            self.handle(MutationFailed(exc))
        else:
            if outcome is not None:
                self.handle(MutationDone(outcome))

    async def _resume(self, command: Resume) -> None:
        resumption = Resumption(command.token, self.conversation.history())
        try:
            session = await self.link.open(command.config, resumption)
        except RealtimeError as exc:
            self.handle(ResumeFailed(exc))
        else:
            self._install(session)
            await self.link.close_replaced()

    def _install(self, session: RealtimeSession) -> None:
        """This session is the one; what it has to know comes before the caller's audio."""
        self.conversation.voice_is(session.output_format)
        self.handle(Connected(session.memory, session.expires_in))
        self.link.listen()
        self.outbox.put(Release())

    # Time and tasks

    def _spawn(self, work: Coroutine[Any, Any, None], name: str) -> None:
        task = asyncio.create_task(work, name=f"runner {name}")
        self._tasks.add(task)
        task.add_done_callback(self._task_done)

    def _task_done(self, task: asyncio.Task[None]) -> None:
        self._tasks.discard(task)
        if not task.cancelled() and (error := task.exception()) is not None:
            _log.error("the task %s failed", task.get_name(), exc_info=error)
            self.end(Lost(Drop.LOST, "a fault of the bridge"))


def _cancelled_ourselves() -> bool:
    task = asyncio.current_task()
    return task is not None and task.cancelling() > 0
