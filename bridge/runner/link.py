"""
The line to the model: one session at a time, and the caller's audio while there is none.

Rule: a new session is made before the old one is broken, where the provider allows it.
While a session is being replaced the caller's audio is held, bounded, and the session
that is there afterwards gets all of it: the new one, or the old one if that failed.
"""

from __future__ import annotations

import logging
from collections import deque

from bridge.errors import NotConnected, RealtimeError
from bridge.ports.model import EventListener, RealtimeModel, RealtimeSession, Resumption
from bridge.ports.server_events import ServerEvent
from bridge.ports.session import RealtimeConfig

__all__ = ["Link"]

GAP_MS = 5_000  # of the caller's audio are kept while there is no session; the oldest goes first

_log = logging.getLogger(__name__)


class Link:
    """`listener` hears the events of the session that is current, and of no other."""

    def __init__(self, model: RealtimeModel, listener: EventListener) -> None:
        self._model = model
        self._listener = listener
        self._session: RealtimeSession | None = None
        self._held: deque[bytes] | None = deque()
        self._held_size = 0
        self._gap_size = (
            GAP_MS * 48
        )  # bytes, as PCM16 at 24 kHz until the session's format is known
        self.dropped_audio = 0
        """Bytes of the caller's audio that did not fit into the gap."""

    @property
    def session(self) -> RealtimeSession:
        """Raises NotConnected when there is none."""
        if self._session is None or not self._session.is_connected:
            raise NotConnected("there is no session with the model")
        return self._session

    @property
    def connected(self) -> bool:
        return self._session is not None and self._session.is_connected

    def feed(self, audio: bytes) -> None:
        """Caller audio in the session's input format. Never waits."""
        if self._held is None and self._session is not None:
            self._session.feed(audio)
        else:
            self._hold(audio)

    def lost(self) -> None:
        """The session is gone; hold the caller's audio for the next."""
        if self._held is None:
            self._held = deque()

    async def open(self, config: RealtimeConfig, resumption: Resumption) -> RealtimeSession:
        """Connect a session and make it the current one. Raises what `connect` raises."""
        self.lost()
        old = self._session
        if old is not None and not self._model.overlaps_sessions:
            self._session = None
            await _close(old)
        try:
            new = await self._model.connect(config, resumption)
        except RealtimeError:
            if self.connected:
                self.release()
            raise
        self._session = new
        self._gap_size = new.input_format.size(GAP_MS)
        new.attach(lambda happened: self._hear(new, happened))
        if old is not None:
            await _close(old)
        return new

    def release(self) -> None:
        """Give the session what was held, and from now on everything at once."""
        held, self._held, self._held_size = self._held, None, 0
        if self._session is not None:
            for audio in held or ():
                self._session.feed(audio)

    async def close(self) -> None:
        """Close the session, if there is one; bounded by the session's own promise."""
        if self._session is not None:
            await self._session.close()

    def _hear(self, session: RealtimeSession, happened: ServerEvent) -> None:
        if session is self._session:
            self._listener(happened)

    def _hold(self, audio: bytes) -> None:
        if self._held is None:
            self._held = deque()
        self._held.append(audio)
        self._held_size += len(audio)
        while self._held_size > self._gap_size:
            gone = len(self._held.popleft())
            self._held_size -= gone
            self.dropped_audio += gone


async def _close(session: RealtimeSession) -> None:
    try:
        await session.close()
    except RealtimeError:
        _log.info("the old session did not close cleanly")
