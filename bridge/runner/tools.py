"""
Tools at work: beside the audio, so many at once and no more, each with its time-out.

Rule: whatever a tool does, its call gets an answer that the model can work with, unless
the provider has taken the call back, or the telephone call is no longer ours. What an
exception says is told to nobody. With a journal no tool runs twice for one call.
"""

from __future__ import annotations

import asyncio
import json
import logging
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from bridge.errors import ConfigError, ToolArgumentsError
from bridge.functions.culprit import culprit
from bridge.functions.results import plain
from bridge.ports.model import ToolCall
from bridge.ports.runner_events import ToolOutcome
from bridge.ports.session import ToolDefinition
from bridge.ports.tools import ToolHandler, ToolJournal
from bridge.runner.journalled import Journalled
from bridge.runner.once import Plan, Run, Told, decide, error, write_result
from bridge.runner.vocabulary import RunTool

__all__ = ["ToolPool"]

PATIENCE = 1.0  # seconds that cancelled tools have to stop; then they are left to themselves
LOOK_UP_SECONDS = 0.4  # that a new session waits to hear of tools which were begun before

ToolStarted = Callable[[str, str], None]
ToolDone = Callable[[str, str, Any, ToolOutcome, float], None]

_log = logging.getLogger(__name__)


class ToolPool:
    """Runs registered tools."""

    def __init__(
        self,
        *,
        max_concurrent: int,
        journal: ToolJournal | None = None,
        patience: float = PATIENCE,
    ) -> None:
        self._patience = patience
        self._journal = Journalled(journal)
        self._undecided: set[str] = set()
        self._decided = asyncio.Event()
        self._handlers: dict[str, list[ToolHandler]] = {}
        self._places = asyncio.Semaphore(max_concurrent)
        self._running: dict[str, asyncio.Task[None]] = {}

    def register(self, handlers: Iterable[ToolHandler]) -> None:
        """
        Know these tools, besides those that are known: a session that was offered an older
        version of one goes on with that. Raises ConfigError when two have one name, or one
        needs a journal and there is none.
        """
        for name, handler in _by_name(handlers).items():
            if handler.needs_journal and not self._journal.there:
                raise ConfigError(f"the tool {name} needs a journal, and there is none")
            older = self._handlers.get(name, [])
            versions = [known for known in older if known.definition != handler.definition]
            self._handlers[name] = [handler, *versions]

    def definitions(self) -> tuple[ToolDefinition, ...]:
        """What the model can be offered: the newest version of every tool."""
        return tuple(versions[0].definition for versions in self._handlers.values())

    def run(
        self,
        call: RunTool,
        offered: Iterable[ToolDefinition],
        *,
        started: ToolStarted,
        done: ToolDone,
    ) -> None:
        """
        Run a tool, in the version in which it is first among the `offered`. `started` is told
        call id and name, `done` call id, name, answer, outcome and seconds.
        """
        handler = self._find(call.name, offered)
        self._undecided.add(call.call_id)
        work = self._run(call, handler, started, done)
        task = asyncio.create_task(work, name=f"tool {call.name}")
        self._running[call.call_id] = task
        task.add_done_callback(lambda _: self._forget(call.call_id, task))

    def begun(self, call_id: str) -> bool:
        """Whether the tool was run here for this call."""
        return self._journal.begun(call_id)

    async def looked_up(self) -> None:
        """Return when every call so far is answered or its tool runs; not later than it must."""
        try:
            async with asyncio.timeout(LOOK_UP_SECONDS):
                while self._undecided:
                    self._decided.clear()
                    await self._decided.wait()
        except TimeoutError:
            pass

    def cancel(self, call_id: str) -> None:
        if (task := self._running.get(call_id)) is not None:
            task.cancel()

    async def close(self) -> None:
        """Cancel everything that runs, and wait until it is gone; no longer than `patience`."""
        tasks = list(self._running.values())
        for task in tasks:
            task.cancel()
        if not tasks:
            return
        _, stubborn = await asyncio.wait(tasks, timeout=self._patience)
        for task in stubborn:
            _log.warning("the %s does not stop", task.get_name())

    def _forget(self, call_id: str, task: asyncio.Task[None]) -> None:
        if self._running.get(call_id) is task:
            del self._running[call_id]
            self._is_decided(call_id)

    def _is_decided(self, call_id: str) -> None:
        self._undecided.discard(call_id)
        self._decided.set()

    def _find(self, name: str, offered: Iterable[ToolDefinition]) -> ToolHandler | None:
        versions = self._handlers.get(name, [])
        for definition in offered:
            if definition.name == name:
                same = (known for known in versions if known.definition == definition)
                return next(same, versions[0] if versions else None)
        return None

    async def _run(
        self, call: RunTool, handler: ToolHandler | None, started: ToolStarted, done: ToolDone
    ) -> None:
        loop = asyncio.get_running_loop()
        begun = loop.time()
        try:
            async with self._places:
                begun = loop.time()
                started(call.call_id, call.name)
                answer, outcome = await self._answer(call, handler)
        except asyncio.CancelledError:
            seconds = loop.time() - begun
            done(call.call_id, call.name, None, ToolOutcome.CANCELLED, seconds)
            raise
        done(call.call_id, call.name, answer, outcome, loop.time() - begun)

    async def _answer(self, call: RunTool, handler: ToolHandler | None) -> tuple[Any, ToolOutcome]:
        if handler is None:
            return error("unknown_tool", "There is no such tool."), ToolOutcome.UNKNOWN_TOOL
        try:
            arguments = _arguments(call.arguments)
        except ToolArgumentsError as exc:
            return _refused(exc)
        match await self._plan(call, handler):
            case Told(answer, outcome):
                return answer, outcome
            case Run():
                self._journal.begins(call.call_id)
                self._is_decided(call.call_id)
                told, outcome = await _execute(call, arguments, handler)
                await self._journal.done(call.call_id, write_result(call, told))
                return told, outcome

    async def _plan(self, call: RunTool, handler: ToolHandler) -> Plan:
        if not self._journal.there and not call.inherited:
            return Run()
        begun = call.begun or self._journal.begun(call.call_id)
        return decide(call, handler, await self._journal.begin(call.call_id), begun=begun)


async def _execute(
    call: RunTool, arguments: Mapping[str, Any], handler: ToolHandler
) -> tuple[Any, ToolOutcome]:
    limit = asyncio.timeout(handler.timeout)
    try:
        async with limit:
            answer = await handler.execute(ToolCall(call.call_id, call.name, arguments))
        return plain(answer), ToolOutcome.ANSWERED
    except ToolArgumentsError as exc:
        return _refused(exc)
    except (Exception, SystemExit, asyncio.CancelledError) as exc:
        if isinstance(exc, asyncio.CancelledError) and _is_being_cancelled():
            raise
        if isinstance(exc, TimeoutError) and limit.expired():
            text = "The tool did not answer in time; what it did is unknown."
            return error("timeout", text), ToolOutcome.TIMED_OUT
        _log.warning("the tool %s raised %s", call.name, culprit(exc))
        return error("tool_failed", "The tool failed."), ToolOutcome.FAILED


def _refused(exc: ToolArgumentsError) -> tuple[Any, ToolOutcome]:
    return error("invalid_arguments", str(exc)), ToolOutcome.BAD_ARGUMENTS


def _is_being_cancelled() -> bool:
    """Whether we are asked to stop; a tool may raise CancelledError of its own as well."""
    task = asyncio.current_task()
    return task is not None and task.cancelling() > 0


def _by_name(handlers: Iterable[ToolHandler]) -> dict[str, ToolHandler]:
    named: dict[str, ToolHandler] = {}
    for handler in handlers:
        name = handler.definition.name
        if name in named:
            raise ConfigError(f"there are two tools called {name}")
        named[name] = handler
    return named


def _arguments(text: str) -> Mapping[str, Any]:
    try:
        arguments = json.loads(text or "{}")
    except json.JSONDecodeError as exc:
        raise ToolArgumentsError(f"The arguments are not valid JSON ({exc.msg}).") from None
    if not isinstance(arguments, dict):
        raise ToolArgumentsError("The arguments must be a JSON object.")
    return arguments
