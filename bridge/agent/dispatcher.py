"""
Hooks at work: beside the call, and never in its way.

Rule: a hook is told its events in order and one at a time; hooks do not wait for each
other, and nothing waits for a hook but the end of the call, and that not for long.
"""

from __future__ import annotations

import asyncio
import logging
from collections import deque
from collections.abc import Callable
from types import TracebackType
from typing import Self

from bridge.agent.context import CallContext
from bridge.agent.hooks import Hook, HookEvent, Hooks
from bridge.functions import threads
from bridge.functions.culprit import culprit
from bridge.nobody import nobody

__all__ = ["Dispatcher"]

MAX_WAITING = 64  # events that one hook of one call may be behind
TIMEOUT = 30.0  # seconds for one hook and one event
GRACE = 5.0  # seconds for all of them after the call
CANCEL_GRACE = 1.0  # seconds for those that were cancelled; then they are left alone

_log = logging.getLogger(__name__)


class Dispatcher:
    """
    The hooks of one call. An asynchronous context manager, which the conductor enters.

    `failed` is told the name of each hook that raised, took too long or fell behind.
    """

    def __init__(
        self,
        hooks: Hooks,
        context: CallContext,
        *,
        failed: Callable[[str], None] = nobody,
        timeout: float = TIMEOUT,
        grace: float = GRACE,
    ) -> None:
        self._hooks = hooks
        self._context = context
        self._failed = failed
        self._timeout = timeout
        self._grace = grace
        self._running: set[asyncio.Task[None]] = set()
        self._waiting: dict[int, deque[HookEvent]] = {}
        self._open = False

    async def __aenter__(self) -> Self:
        self._open = True
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        exc: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Gives the hooks `grace` seconds to finish, or none when the call itself broke."""
        self._open = False
        try:
            if kind is None and self._running:
                await asyncio.wait(self._running, timeout=self._grace)
        finally:
            await self._cut_short()

    def dispatch(self, event: HookEvent) -> None:
        """Tell the event's hooks, soon. Never waits and never raises; nothing after the exit."""
        if not self._open:
            return
        for hook in self._hooks.of(event):
            self._queue(hook, event)

    def _queue(self, hook: Hook, event: HookEvent) -> None:
        waiting = self._waiting.get(id(hook))
        if waiting is None:
            self._waiting[id(hook)] = deque((event,))
            task = asyncio.create_task(self._work_off(hook), name=f"hook {_name(hook)}")
            self._running.add(task)
            task.add_done_callback(self._running.discard)
        elif len(waiting) < MAX_WAITING:
            waiting.append(event)
        else:
            self._complain(hook, "is too far behind to be told everything")

    async def _work_off(self, hook: Hook) -> None:
        waiting = self._waiting[id(hook)]
        while waiting:
            await self._tell(hook, waiting.popleft())
        del self._waiting[id(hook)]

    async def _tell(self, hook: Hook, event: HookEvent) -> None:
        limit = asyncio.timeout(self._timeout)
        try:
            async with limit:
                await threads.run(hook, event, self._context)
        except Exception as exc:
            late = limit.expired() and isinstance(exc, TimeoutError)
            self._complain(hook, "took too long" if late else f"raised {culprit(exc)}")
            _log.debug("the hook %s failed like this", _name(hook), exc_info=exc)

    async def _cut_short(self) -> None:
        late = tuple(self._running)
        for task in late:
            task.cancel()
            _log.warning("the %s was still at work after the call", task.get_name())
        if late:
            await asyncio.wait(late, timeout=CANCEL_GRACE)

    def _complain(self, hook: Hook, what: str) -> None:
        _log.warning("the hook %s %s", _name(hook), what)
        self._failed(_name(hook))


def _name(hook: Hook) -> str:
    return getattr(hook, "__name__", type(hook).__name__)
