"""
Who waits for which answer of OpenAI's.

The API confirms an update without saying which, and refuses one with or without saying
so. It answers in order, so the oldest update that is under way is the one answered. One
that nobody waits for any more keeps its place in the queue.
"""

from __future__ import annotations

import asyncio
from collections import deque
from dataclasses import dataclass
from typing import Any

from bridge.errors import ServerError, SessionClosed
from bridge.ports import server_events as event
from bridge.ports.server_events import ErrorInfo, ServerEvent, Severity

__all__ = ["Answers"]

_REFUSED = "invalid_request_error"


@dataclass(frozen=True, slots=True)
class _Update:
    event_id: str
    confirmed: asyncio.Future[None]


class Answers:
    """Sees every event of a session and wakes those who waited for it."""

    def __init__(self) -> None:
        loop = asyncio.get_running_loop()
        self.created: asyncio.Future[event.SessionCreated] = loop.create_future()
        self._updates: deque[_Update] = deque()
        self._item: tuple[str, asyncio.Future[None]] | None = None

    def update(self, event_id: str) -> asyncio.Future[None]:
        """Done when the update is confirmed; ServerError, SessionClosed."""
        confirmed: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._updates.append(_Update(event_id, confirmed))
        return confirmed

    def item(self, item_id: str) -> asyncio.Future[None]:
        """Done when the item is in the conversation; ServerError, SessionClosed."""
        added: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._item = (item_id, added)
        return added

    def see(self, happened: ServerEvent) -> None:
        match happened:
            case event.SessionCreated():
                if not self.created.done():
                    self.created.set_result(happened)
            case event.SessionUpdated():
                if self._updates:
                    _succeed(self._updates.popleft().confirmed)
            case event.ItemCreated(item):
                if self._item is not None and item.get("id") == self._item[0]:
                    _succeed(self._item[1])
            case event.Error(error, severity, refused_response):
                if severity is not Severity.HARMLESS and not refused_response:
                    self._refuse(error, fatal=severity is Severity.FATAL)
            case event.Disconnected():
                self._end(happened)
            case _:
                pass

    def _refuse(self, error: ErrorInfo, *, fatal: bool) -> None:
        reason = ServerError(error.code or error.type, _where(error))
        if not self.created.done():
            _fail(self.created, reason)
        update = self._update_of(error)
        if update is None and fatal and self._updates:
            update = self._updates[0]
        if update is not None:
            self._updates.remove(update)
            _fail(update.confirmed, reason)
        elif self._item is not None:
            _fail(self._item[1], reason)

    def _update_of(self, error: ErrorInfo) -> _Update | None:
        if error.request_id:
            named = (update for update in self._updates if update.event_id == error.request_id)
            return next(named, None)
        return self._updates[0] if self._updates and error.type == _REFUSED else None

    def _end(self, end: event.Disconnected) -> None:
        reason: Exception = SessionClosed("the session ended before it answered")
        if end.drop is event.Drop.REFUSED:
            reason = ServerError(end.detail, "the provider ended the session")
        futures: list[asyncio.Future[Any]] = [update.confirmed for update in self._updates]
        futures += [self.created] if self._item is None else [self.created, self._item[1]]
        self._updates.clear()
        for future in futures:
            _fail(future, reason)


def _succeed(future: asyncio.Future[None]) -> None:
    if not future.done():
        future.set_result(None)


def _fail(future: asyncio.Future[Any], reason: Exception) -> None:
    if not future.done():
        future.set_exception(reason)
        future.exception()  # nobody may be waiting for it any more


def _where(error: ErrorInfo) -> str:
    """The provider's own text may quote what it was sent; the name of the field does not."""
    return f"the provider refused {error.param}" if error.param else "the provider refused it"
