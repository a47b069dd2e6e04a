"""
What a media stream's endpoint needs of its socket, whichever server is under it.

Rule: what a message leads to happens in the context of whoever listens, so that log lines
name the call; and a fault in there ends this socket, and no other.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from contextvars import Context, copy_context
from types import TracebackType
from typing import Protocol, Self

from bridge.carriers.twilio import Outlet
from bridge.nobody import nobody

__all__ = ["ABNORMAL", "FAULT", "NORMAL", "Hearing", "MediaSocket", "Message"]

NORMAL, FAULT = 1000, 1011  # close codes
ABNORMAL = 1006  # of a connection that broke without one

Message = str | bytes
"""str from a text message, bytes from a binary one."""

_log = logging.getLogger(__name__)


class MediaSocket(Outlet, Protocol):
    """
    An accepted WebSocket, as an asynchronous context manager that closes it, once all that was
    written is sent. After the end it writes quietly nothing.
    """

    async def __aenter__(self) -> Self: ...

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """A peer that takes nothing does not keep the socket's owner."""

    def attach(self, hear: Callable[[Message], None], over: Callable[[int], None]) -> None:
        """
        Call `hear` with each message in its turn, and `over` with the close code once, in the
        end; both in the context of this call. Whoever attaches later takes their place.
        """

    async def ended(self, seconds: float) -> None:
        """Return when the connection is over, or after so long."""


class Hearing:
    """
    Tells a listener, and survives it. `fail` is called when a listener has failed. Once it is
    over, all of them are let go of.
    """

    __slots__ = ("_context", "_fail", "_hear", "_over")

    def __init__(self, fail: Callable[[], None]) -> None:
        self._fail = fail
        self._context: Context | None = None
        self._hear: Callable[[Message], None]
        self._over: Callable[[int], None]

    @property
    def attached(self) -> bool:
        """Whether there is anybody to tell."""
        return self._context is not None

    def attach(self, hear: Callable[[Message], None], over: Callable[[int], None]) -> None:
        """From now on these two, in the context of this call."""
        self._hear, self._over = hear, over
        self._context = copy_context()

    def message(self, message: Message) -> None:
        """A message came."""
        assert self._context is not None
        try:
            self._context.run(self._hear, message)
        except Exception:
            self._context.run(_report)
            self._fail()

    def over(self, code: int) -> None:
        """The connection is over."""
        assert self._context is not None
        over, self._over, self._hear, self._fail = self._over, nobody, nobody, nobody
        try:
            self._context.run(over, code)
        except Exception:
            self._context.run(_report)


def _report() -> None:
    _log.exception("a fault of ours on a media stream: the call loses its leg")
