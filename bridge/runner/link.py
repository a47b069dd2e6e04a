"""
The line to the model: one session at a time, and the caller's audio while there is none.

Rule: a new session is made before the old one is broken, where the provider allows it.
While a session is being replaced the caller's audio is held, bounded, and the session
that is there afterwards gets all of it: the new one, or the old one if that failed.
Whatever was opened here is closed here.
"""

from __future__ import annotations

import asyncio
import logging
from collections import deque
from collections.abc import Iterable

from bridge.audio.formats import PCM16_24K, AudioFormat
from bridge.errors import NotConnected, RealtimeError, ServerError, SessionClosed
from bridge.nobody import nobody
from bridge.ports import server_events as event
from bridge.ports.model import (
    ContextMutationOutcome,
    EventListener,
    RealtimeModel,
    RealtimeSession,
    Resumption,
)
from bridge.ports.server_events import ServerEvent
from bridge.ports.session import RealtimeConfig

__all__ = ["Link"]

GAP_MS = 5_000  # of the caller's audio are kept while there is no session; the oldest goes first
REWIND_PIECES = 20  # of it that a lost session may not have noticed: 400 ms, as a rule
CLOSE_TIMEOUT = 3.0  # seconds; a session promises two
MUTATE_TIMEOUT = 15.0  # seconds; a session that is still waiting then waits in vain

_log = logging.getLogger(__name__)


class Link:
    """`listener` hears the events of the session that is current, and of no other."""

    __slots__ = (
        "_closed",
        "_held",
        "_held_size",
        "_lately",
        "_listener",
        "_model",
        "_noticed",
        "_replaced",
        "_session",
        "dropped_audio",
        "input_format",
    )

    def __init__(self, model: RealtimeModel, listener: EventListener) -> None:
        self._model = model
        self._lately: deque[bytes] = deque(maxlen=REWIND_PIECES)
        self.begin(listener)

    def begin(self, listener: EventListener) -> None:
        """Begin, or begin again after `close`."""
        self._listener = listener
        self._session: RealtimeSession | None = None
        self._replaced: list[RealtimeSession] = []
        self._closed = False
        self._held: deque[bytes] | None = deque()
        self._held_size = 0
        self._lately.clear()
        self._noticed = False
        """Whether the session has told that the caller is speaking."""
        self.input_format: AudioFormat | None = None
        """The format in which the caller's audio must come; None before the first session."""
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

    # The caller's audio

    def feed(self, audio: bytes) -> None:
        """Caller audio in the session's input format. Never waits; of nothing nobody hears."""
        if not audio:
            return
        if self._held is None and self._session is not None:
            self._lately.append(audio)
            self._session.feed(audio)
        else:
            self._hold(audio)

    def note(self, happened: ServerEvent) -> None:
        """The session says this: what of it concerns the caller's audio."""
        match happened:
            case event.SpeechStarted():
                self._noticed = True
            case event.SpeechStopped() | event.AudioCommitted() | event.AudioCleared():
                self._noticed = False
                self._lately.clear()
            case event.Disconnected():
                # The latest may be the beginning of something that it has not noticed.
                rewinds = self._model.tells_speech and not self._noticed
                self.hold(self._lately if rewinds else ())
                self._noticed = False
            case _:
                pass

    def hold(self, lately: Iterable[bytes] = ()) -> None:
        """
        The session is gone or about to be replaced: keep the caller's audio for the next,
        behind what came `lately`.
        """
        if self._held is None:
            self._held = deque(lately)
            self._held_size = sum(map(len, self._held))
        self._lately.clear()

    def release(self) -> None:
        """Give the session what was held, and from now on everything at once."""
        if self._session is None or not self._session.is_connected:
            return
        held, self._held, self._held_size = self._held, None, 0
        for audio in held or ():
            self._lately.append(audio)
            self._session.feed(audio)

    def _hold(self, audio: bytes) -> None:
        self.hold()
        assert self._held is not None
        self._held.append(audio)
        self._held_size += len(audio)
        most = (self.input_format or PCM16_24K).size(GAP_MS)
        while self._held_size > most:
            gone = len(self._held.popleft())
            self._held_size -= gone
            self.dropped_audio += gone

    # Sessions

    async def open(self, config: RealtimeConfig, resumption: Resumption) -> RealtimeSession:
        """
        Connect a session and make it the current one. Raises what `connect` raises.

        It is not heard before `listen`, and the one that it replaced is there until
        `close_replaced`. When this is cancelled, `close` closes whatever there is.
        """
        self.hold()
        if self.connected and not self._model.overlaps_sessions:
            self._replace(None)
            await self.close_replaced()
        try:
            new = await self._model.connect(config, resumption)
        except RealtimeError:
            self.release()
            raise
        if self._closed:
            await _close(new)
            raise SessionClosed("the runner was closed while it connected")
        self._replace(new)
        self.input_format = new.input_format
        return new

    def listen(self) -> None:
        """Hear the current session from its first event on; even its last may be there already."""
        assert self._session is not None
        self._session.attach(self._listener)

    async def mutate(self, change: RealtimeConfig) -> ContextMutationOutcome | None:
        """
        Change the current session. None when another has taken its place meanwhile: then
        nobody cares what became of it. Raises what the session raises.
        """
        session = self._session
        try:
            async with asyncio.timeout(MUTATE_TIMEOUT):
                outcome = await self.session.mutate_context(change)
        except (RealtimeError, TimeoutError) as exc:
            if session is not self._session:
                return None
            if isinstance(exc, TimeoutError):
                raise ServerError("no_answer", "the change was not confirmed in time") from None
            raise
        return outcome if session is self._session else None

    async def close_replaced(self) -> None:
        """Close the sessions that were replaced. May be cancelled: `close` goes on with it."""
        for session in list(self._replaced):
            await _close(session)
            self._replaced = [other for other in self._replaced if other is not session]

    async def close(self) -> None:
        """Close every session that is there, and any that is still to come; none is heard then."""
        self._closed = True
        sessions = [*self._replaced, *([] if self._session is None else [self._session])]
        await asyncio.gather(*(_close(session) for session in sessions))
        self._listener = nobody

    def _replace(self, new: RealtimeSession | None) -> None:
        if self._session is not None:
            self._session.attach(nobody)
            self._replaced.append(self._session)
        self._session = new


async def _close(session: RealtimeSession) -> None:
    try:
        async with asyncio.timeout(CLOSE_TIMEOUT):
            await session.close()
    except (RealtimeError, TimeoutError) as exc:
        _log.info("a session did not close cleanly: %s", type(exc).__name__)
