"""The response under way, sent piece by piece faster than it is spoken, and those before it."""

from __future__ import annotations

import asyncio
from collections import OrderedDict
from collections.abc import Callable, Iterator

from bridge.ports import server_events as event
from bridge.ports.server_events import ResponseStatus, ServerEvent
from bridge.providers.offline.performance import Performance

__all__ = ["PACE", "Speaking"]

PACE = 0.02  # seconds between two deltas, each of which sounds for a tenth of a second
_KEPT = 50  # performances whose items may still be truncated


class Speaking:
    """At most one response at a time. `put` is told its events, in loop turns of its own."""

    def __init__(self, put: Callable[[ServerEvent], None], pace: float) -> None:
        self._put = put
        self._pace = pace
        self._active: Performance | None = None
        self._created = False
        self._events: Iterator[ServerEvent] = iter(())
        self._timer: asyncio.Handle | None = None
        self._sent_ms: OrderedDict[str, float] = OrderedDict()
        self._performances: dict[str, Performance] = {}

    @property
    def active(self) -> Performance | None:
        return self._active

    @property
    def latest(self) -> Performance | None:
        """The newest response, under way or not."""
        return next(reversed(self._performances.values()), None)

    def begin(self, performance: Performance) -> None:
        """Start in the next loop turn; nothing else may be under way."""
        assert self._active is None
        self._active, self._created = performance, False
        self._events = performance.events()
        self._keep(performance)
        self._timer = asyncio.get_running_loop().call_soon(self._go_on)

    def cancel(self, reason: str) -> bool:
        """Cut off what is under way; False when nothing is."""
        performance, created = self._active, self._created
        self.stop()
        if performance is None:
            return False
        if created:
            response_id = performance.response_id
            self._put(event.Interrupted(response_id))
            self._put(event.ResponseDone(response_id, ResponseStatus.CANCELLED, reason))
        return True

    def stop(self) -> None:
        """Send nothing more, and say nothing about it."""
        self._active = None
        if self._timer is not None:
            self._timer.cancel()

    def of(self, item_id: str) -> tuple[Performance, float] | None:
        """What was said in this item, and how many milliseconds of it were sent."""
        performance = self._performances.get(item_id)
        return None if performance is None else (performance, self._sent_ms[item_id])

    def _go_on(self) -> None:
        """Send events up to and including the next piece of audio."""
        performance = self._active
        for happened in self._events:
            if performance is None or self._active is not performance:
                return  # whoever heard the last event has stopped us
            self._note(happened, performance)
            self._put(happened)
            if isinstance(happened, event.AudioDelta) and self._active is performance:
                loop = asyncio.get_running_loop()
                self._timer = loop.call_later(self._pace, self._go_on)
                return

    def _note(self, happened: ServerEvent, performance: Performance) -> None:
        match happened:
            case event.ResponseCreated():
                self._created = True
            case event.AudioDelta(item_id, delta):
                self._sent_ms[item_id] += performance.format.duration_ms(len(delta))
            case event.ResponseDone():
                self._active = None
            case _:
                pass

    def _keep(self, performance: Performance) -> None:
        self._performances[performance.item_id] = performance
        self._sent_ms[performance.item_id] = 0.0
        if len(self._sent_ms) > _KEPT:
            oldest, _ = self._sent_ms.popitem(last=False)
            del self._performances[oldest]
