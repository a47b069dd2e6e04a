"""
Tools at work: beside the audio, so many at once and no more, each with its time-out.

Rule: whatever a tool does, its call gets an answer that the model can work with, unless
the provider has taken the call back. What an exception says is told to nobody.
"""

from __future__ import annotations

import asyncio
import json
import logging
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from bridge.errors import ToolArgumentsError
from bridge.ports.model import ToolCall
from bridge.ports.runner_events import ToolOutcome
from bridge.ports.session import ToolDefinition
from bridge.ports.tools import ToolHandler
from bridge.runner.vocabulary import RunTool

__all__ = ["ToolPool"]

MAX_OUTPUT_SIZE = 16 * 1024  # characters of JSON; more would only crowd the model's context

ToolDone = Callable[[str, str, Any, ToolOutcome, float], None]

_log = logging.getLogger(__name__)


class ToolPool:
    """Runs registered tools; `done` is told call id, name, answer, outcome and seconds."""

    def __init__(self, *, max_concurrent: int, started: Callable[[str, str], None], done: ToolDone):
        self._handlers: dict[str, ToolHandler] = {}
        self._places = asyncio.Semaphore(max_concurrent)
        self._started = started
        self._done = done
        self._running: dict[str, asyncio.Task[None]] = {}

    def register(self, handlers: Iterable[ToolHandler]) -> None:
        """Know these tools; one with a name that is known takes its place."""
        self._handlers.update({handler.definition.name: handler for handler in handlers})

    def definitions(self) -> tuple[ToolDefinition, ...]:
        return tuple(handler.definition for handler in self._handlers.values())

    def run(self, call: RunTool, offered: Iterable[ToolDefinition]) -> None:
        """Run a tool, if it is among those that the session was `offered`."""
        known = any(tool.name == call.name for tool in offered)
        handler = self._handlers.get(call.name) if known else None
        task = asyncio.create_task(self._run(call, handler), name=f"tool {call.name}")
        self._running[call.call_id] = task
        task.add_done_callback(lambda _: self._running.pop(call.call_id, None))

    def cancel(self, call_id: str) -> None:
        if (task := self._running.get(call_id)) is not None:
            task.cancel()

    async def close(self) -> None:
        """Cancel everything that runs, and wait until it is gone."""
        tasks = list(self._running.values())
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    async def _run(self, call: RunTool, handler: ToolHandler | None) -> None:
        loop = asyncio.get_running_loop()
        begun = loop.time()
        try:
            async with self._places:
                begun = loop.time()
                self._started(call.call_id, call.name)
                answer, outcome = await _answer(call, handler)
        except asyncio.CancelledError:
            seconds = loop.time() - begun
            self._done(call.call_id, call.name, None, ToolOutcome.CANCELLED, seconds)
            raise
        self._done(call.call_id, call.name, answer, outcome, loop.time() - begun)


async def _answer(call: RunTool, handler: ToolHandler | None) -> tuple[Any, ToolOutcome]:
    if handler is None:
        return _error("unknown_tool", "There is no such tool."), ToolOutcome.UNKNOWN_TOOL
    try:
        arguments = _arguments(call.arguments)
        async with asyncio.timeout(handler.timeout):
            answer = await handler.execute(ToolCall(call.call_id, call.name, arguments))
        return _bounded(answer), ToolOutcome.ANSWERED
    except ToolArgumentsError as exc:
        return _error("invalid_arguments", str(exc)), ToolOutcome.BAD_ARGUMENTS
    except TimeoutError:
        text = "The tool did not answer in time; what it did is unknown."
        return _error("timeout", text), ToolOutcome.TIMED_OUT
    except Exception as exc:
        _log.warning("the tool %s raised %s", call.name, type(exc).__name__)
        return _error("tool_failed", "The tool failed."), ToolOutcome.FAILED


def _arguments(text: str) -> Mapping[str, Any]:
    try:
        arguments = json.loads(text or "{}")
    except json.JSONDecodeError as exc:
        raise ToolArgumentsError(f"The arguments are not valid JSON ({exc.msg}).") from None
    if not isinstance(arguments, dict):
        raise ToolArgumentsError("The arguments must be a JSON object.")
    return arguments


def _bounded(answer: Any) -> Any:
    """The answer as it is; what JSON cannot say or what is too long, as a cut text."""
    text = json.dumps(answer, default=str, ensure_ascii=False)
    if len(text) > MAX_OUTPUT_SIZE:
        return {"cut_after_characters": MAX_OUTPUT_SIZE, "output": text[:MAX_OUTPUT_SIZE]}
    return json.loads(text)


def _error(code: str, message: str) -> dict[str, Any]:
    return {"error": {"code": code, "message": message}}
