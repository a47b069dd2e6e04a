"""
Events between a session and whoever wants them.

Rule: an inbox is bounded and never blocks the one who puts. What is urgent overtakes
what is only to be heard; everything else keeps its order. Whatever a listener does, the
one who puts goes on.
"""

from __future__ import annotations

import asyncio
import logging
from collections import deque
from collections.abc import Callable
from functools import partial
from typing import Generic, TypeVar

from bridge.ports import server_events as event
from bridge.ports.runner_events import Finished, RunnerEvent
from bridge.ports.server_events import Disconnected, ServerEvent

__all__ = ["Inbox", "runner_inbox", "session_inbox"]

E = TypeVar("E", bound=RunnerEvent)
L = TypeVar("L", bound=RunnerEvent)

MAX_EVENTS = 4_096
MAX_AUDIO_SIZE = 16 * 1024 * 1024  # five minutes of PCM16 at 24 kHz: models send in bursts

_URGENT = (
    event.SpeechStarted,
    event.SpeechStopped,
    event.Interrupted,
    event.FunctionCallDone,
    event.ToolCallCancelled,
    event.GoingAway,
    event.ResumptionToken,
    event.Error,
)

_log = logging.getLogger(__name__)


class Inbox(Generic[E, L]):
    """
    Holds events until `get` asks for them, or hands them on at once to a listener.

    It closes behind the first event of the class `last`, and lets go of the listener that has
    got it. Where a bound is reached the oldest event of its kind goes, and `dropped` counts it;
    the voice of an answer that was interrupted goes uncounted, for nobody wants it any more. A
    listener that raises is at fault itself: that is logged and counted in `listener_errors`,
    and the event counts as delivered.
    """

    # All of them are of one class, for an interpreter that learns what it meets in a place.

    def __init__(
        self, last: type[L], *, max_events: int = MAX_EVENTS, max_audio_size: int = MAX_AUDIO_SIZE
    ) -> None:
        self._closes = last
        self._last: L | None = None
        self._max_events = max_events
        self._max_audio_size = max_audio_size
        self._urgent: deque[E] = deque()
        self._ordered: deque[E] = deque()
        self._audio_size = 0
        self._listener: Callable[[E], None] | None = None
        self._handing_over = False
        self._news = asyncio.Event()
        self.dropped = 0
        self.listener_errors = 0

    def put(self, item: E) -> None:
        """Add an event. After the last one nothing more is taken."""
        if self._last is not None:
            return
        if isinstance(item, self._closes):
            self._last = item
        if self._listener is None:
            self._keep(item)
            self._bound()
            self._news.set()
            return
        if self._handing_over:
            self._keep(item)
        else:
            self._hand_over(self._listener, item)
        if self._last is not None:
            self._news.set()

    def attach(self, listener: Callable[[E], None] | None) -> None:
        """
        Hand what is here to `listener`, and all that comes later as it comes; None: keep it.

        What comes while the listener is at work is handed to it afterwards, not within.
        """
        self._listener = listener
        if listener is not None and not self._handing_over and (self._urgent or self._ordered):
            self._hand_over(listener, self._take())

    async def get(self) -> E | None:
        """
        The next event; None after the last one. With a listener attached there is nothing
        but that None. May be cancelled without loss.
        """
        while not (self._urgent or self._ordered):
            if self._last is not None:
                return None
            await self._wait()
        return self._take()

    async def last(self) -> L:
        """Wait for the last event, and return it. May be cancelled without loss."""
        while self._last is None:
            await self._wait()
        return self._last

    async def _wait(self) -> None:
        self._news.clear()
        await self._news.wait()

    def _hand_over(self, listener: Callable[[E], None], item: E) -> None:
        """Hand on this event, and then what is kept."""
        self._handing_over = True
        try:
            while True:
                try:
                    listener(item)
                except Exception:
                    self.listener_errors += 1
                    _log.exception("a listener failed at %s", type(item).__name__)
                if not (self._urgent or self._ordered):
                    break
                item = self._take()
        finally:
            self._handing_over = False
            if self._last is not None:
                self._listener = None

    def _keep(self, item: E) -> None:
        if isinstance(item, _URGENT):
            self._urgent.append(item)
            if isinstance(item, event.Interrupted):
                self._forget_voice(item.response_id)
            return
        self._ordered.append(item)
        if isinstance(item, event.AudioDelta):
            self._audio_size += len(item.delta)

    def _take(self) -> E:
        return self._urgent.popleft() if self._urgent else self._take_oldest()

    def _take_oldest(self) -> E:
        item = self._ordered.popleft()
        if isinstance(item, event.AudioDelta):
            self._audio_size -= len(item.delta)
        return item

    def _bound(self) -> None:
        while self._audio_size > self._max_audio_size:
            oldest = next(item for item in self._ordered if isinstance(item, event.AudioDelta))
            self._ordered.remove(oldest)
            self._audio_size -= len(oldest.delta)
            self.dropped += 1
        while len(self._ordered) > self._max_events:
            self._take_oldest()
            self.dropped += 1
        while len(self._urgent) > self._max_events:
            self._urgent.popleft()
            self.dropped += 1

    def _forget_voice(self, response_id: str) -> None:
        """`response_id` is the answer that was cut off, "" where nobody knows."""
        kept: deque[E] = deque()
        for item in self._ordered:
            if isinstance(item, event.AudioDelta) and response_id in {"", item.response_id}:
                self._audio_size -= len(item.delta)
            else:
                kept.append(item)
        self._ordered = kept


session_inbox = partial(Inbox[ServerEvent, Disconnected], Disconnected)
runner_inbox = partial(Inbox[RunnerEvent, Finished], Finished)
