"""
Events between a session and whoever wants them.

Rule: an inbox is bounded and never blocks the one who puts. What is urgent overtakes
what is only to be heard; everything else keeps its order.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable
from typing import Generic, TypeVar

from bridge.ports import server_events as event
from bridge.ports.runner_events import Finished, RunnerEvent
from bridge.ports.server_events import ServerEvent

__all__ = ["EventQueue", "Inbox", "RunnerInbox"]

E = TypeVar("E", bound=RunnerEvent)

MAX_EVENTS = 4_096
MAX_AUDIO_SIZE = 16 * 1024 * 1024  # five minutes of PCM16 at 24 kHz: models send in bursts

_URGENT = (
    event.SpeechStarted,
    event.Interrupted,
    event.FunctionCallDone,
    event.ToolCallCancelled,
    event.GoingAway,
    event.ResumptionToken,
    event.Error,
)


class EventQueue(Generic[E]):
    """
    Holds events until `get` asks for them, or hands them on at once to a listener.

    It closes behind its `last` event. Where a bound is reached the oldest event of its
    kind goes, and `dropped` counts it.
    """

    last: type[RunnerEvent]

    def __init__(
        self, *, max_events: int = MAX_EVENTS, max_audio_size: int = MAX_AUDIO_SIZE
    ) -> None:
        self._max_events = max_events
        self._max_audio_size = max_audio_size
        self._urgent: deque[E] = deque()
        self._ordered: deque[E] = deque()
        self._audio_size = 0
        self._listener: Callable[[E], None] | None = None
        self._waiter: asyncio.Future[None] | None = None
        self._over = False
        self.dropped = 0

    def put(self, item: E) -> None:
        """Add an event. After the last one nothing more is taken."""
        if self._over:
            return
        self._over = isinstance(item, self.last)
        if self._listener is not None:
            self._listener(item)
            return
        if isinstance(item, _URGENT):
            self._urgent.append(item)
        else:
            self._ordered.append(item)
            if isinstance(item, event.AudioDelta):
                self._audio_size += len(item.delta)
        self._bound()
        if self._waiter is not None and not self._waiter.done():
            self._waiter.set_result(None)

    def attach(self, listener: Callable[[E], None]) -> None:
        """Hand what is here to `listener`, and all that comes later as it comes."""
        self._listener = listener
        while self._urgent or self._ordered:
            listener(self._take())

    async def get(self) -> E | None:
        """The next event; None after the last one. May be cancelled without loss."""
        while not (self._urgent or self._ordered):
            if self._over:
                return None
            self._waiter = asyncio.get_running_loop().create_future()
            await self._waiter
        return self._take()

    def _take(self) -> E:
        if self._urgent:
            return self._urgent.popleft()
        item = self._ordered.popleft()
        if isinstance(item, event.AudioDelta):
            self._audio_size -= len(item.delta)
        return item

    def _bound(self) -> None:
        if self._audio_size > self._max_audio_size:
            oldest = next(item for item in self._ordered if isinstance(item, event.AudioDelta))
            self._ordered.remove(oldest)
            self._audio_size -= len(oldest.delta)
            self.dropped += 1
        while len(self._ordered) > self._max_events:
            self._take_oldest()
        while len(self._urgent) > self._max_events:
            self._urgent.popleft()
            self.dropped += 1

    def _take_oldest(self) -> None:
        item = self._ordered.popleft()
        if isinstance(item, event.AudioDelta):
            self._audio_size -= len(item.delta)
        self.dropped += 1


class Inbox(EventQueue[ServerEvent]):
    """A session's events; Disconnected is the last."""

    last = event.Disconnected


class RunnerInbox(EventQueue[RunnerEvent]):
    """A runner's events; Finished is the last."""

    last = Finished
