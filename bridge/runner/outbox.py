"""
Control messages on their way to the session.

Rule: one after the other, in the order in which they were put. A session never waits for
the network, so the outbox is empty again after each turn of the loop. A message that meets no
session was for one that is gone, and goes with it.
"""

from __future__ import annotations

import asyncio
import logging
from collections import deque
from dataclasses import dataclass

from bridge.errors import NotConnected, RealtimeError, SessionClosed
from bridge.ports.client_events import ClientEvent
from bridge.runner.link import Link
from bridge.runner.vocabulary import Answer

__all__ = ["Outbox", "Release"]

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Release:
    """All that the session has to know before it hears the caller has been sent."""


Outgoing = ClientEvent | Answer | Release
Sent = asyncio.Future[None]


class Outbox:
    """Somebody has to `run` it."""

    def __init__(self, link: Link) -> None:
        self._link = link
        self._waiting: deque[tuple[Outgoing, Sent | None]] = deque()
        self._news = asyncio.Event()
        self._closed = False

    def put(self, message: Outgoing) -> None:
        """Send a message behind those that are already on their way."""
        self._add(message, None)

    async def send(self, message: ClientEvent) -> None:
        """
        The same, and return when it is sent. Raises NotConnected, SessionClosed, and what
        the session raises. If this is cancelled the message is sent all the same.
        """
        if not self._link.connected or self._closed:
            raise NotConnected("there is no session with the model")
        sent: Sent = asyncio.get_running_loop().create_future()
        self._add(message, sent)
        await sent

    async def run(self) -> None:
        """Send what is put, until this is cancelled."""
        while True:
            while self._waiting:
                await self._send(*self._waiting.popleft())
            self._news.clear()
            await self._news.wait()

    def close(self) -> None:
        """Nothing is sent any more, and those who wait for it are told."""
        self._closed = True
        while self._waiting:
            _tell(self._waiting.popleft()[1], SessionClosed("the runner is closed"))

    def _add(self, message: Outgoing, sent: Sent | None) -> None:
        if not self._closed:
            self._waiting.append((message, sent))
            self._news.set()

    async def _send(self, message: Outgoing, sent: Sent | None) -> None:
        try:
            await self._give(message)
        except asyncio.CancelledError:
            _tell(sent, SessionClosed("the runner is closed"))
            raise
        except Exception as exc:
            if sent is None and not isinstance(exc, RealtimeError):
                raise  # nobody but us made this message
            _tell(sent, exc)
        else:
            _tell(sent, None)

    async def _give(self, message: Outgoing) -> None:
        match message:
            case Release():
                self._link.release()
            case Answer(responses):
                await self._link.session.send_tool_response(*responses)
            case _:
                await self._link.session.send_event(message)


def _tell(sent: Sent | None, error: Exception | None) -> None:
    """Tell the one who waits for it what became of a message; where nobody waits, the log."""
    if sent is None:
        if error is not None:
            _log.info("a message was not sent: %s", type(error).__name__)
    elif not sent.done():
        if error is None:
            sent.set_result(None)
        else:
            sent.set_exception(error)
