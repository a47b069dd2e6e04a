"""
What a leg has to tell before anybody listens.

Rule: a backlog is bounded. Where it is full the oldest audio goes, and `dropped` counts it.
Behind Ended nothing is told any more, and the listener is let go of.
"""

from __future__ import annotations

from collections import deque

from bridge.nobody import nobody
from bridge.ports import leg

__all__ = ["Backlog"]

MAX_EVENTS = 250  # five seconds of 20 ms frames


class Backlog:
    """Hands a leg's events to its listener; keeps them, in order, until there is one."""

    __slots__ = ("_hear", "_held", "_listener", "_max_events", "_over", "dropped", "heard")

    def __init__(self, max_events: int = MAX_EVENTS) -> None:
        self._max_events = max_events
        self._held: deque[leg.LegEvent] = deque()
        self._listener: leg.LegListener | None = None
        self._hear: leg.Hear | None = None
        self._over = False
        self.heard: leg.Hear = self._keep_audio
        """What the caller says goes here: kept, or, once somebody listens, straight to them."""
        self.dropped = 0

    def attach(self, listener: leg.LegListener, hear: leg.Hear | None = None) -> None:
        """Hand over what is here, and from now on all that comes, as it comes."""
        if not self._over:
            self._listener, self._hear, self.heard = listener, hear, self._keep_audio
        while self._held:
            event = self._held.popleft()
            if hear is not None and isinstance(event, leg.Heard):
                hear(event.audio)
            else:
                listener(event)
        if self._hear is not None and not self._over:
            self.heard = self._hear  # whoever it is by now

    def put(self, event: leg.LegEvent) -> None:
        """Hand on an event. What comes while a backlog is handed over waits for its turn."""
        if self._over:
            return
        listener = None if self._held else self._listener
        if isinstance(event, leg.Ended):
            self._over, self._listener, self._hear, self.heard = True, None, None, nobody
        if listener is not None:
            listener(event)
        else:
            self._hold(event)

    def _keep_audio(self, audio: bytes) -> None:
        self.put(leg.Heard(audio))

    def _hold(self, event: leg.LegEvent) -> None:
        if len(self._held) >= self._max_events and not isinstance(event, leg.Ended):
            self.dropped += 1
            if not self._forget_audio():
                return
        self._held.append(event)

    def _forget_audio(self) -> bool:
        for index, event in enumerate(self._held):
            if isinstance(event, leg.Heard):
                del self._held[index]
                return True
        return False
