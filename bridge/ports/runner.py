"""The door to an agent at work: a conversation with a model, as a call needs it."""

from __future__ import annotations

from typing import Protocol

from bridge.ports.client_events import Message
from bridge.ports.conversation import HistoryItem
from bridge.ports.runner_events import RunnerListener

__all__ = ["Runner"]


class Runner(Protocol):
    """Nothing here waits but what is async."""

    async def connect(self) -> None:
        """Return when the model is ready. Raises RealtimeError when it cannot be had."""

    async def close(self) -> None: ...

    def attach(self, listener: RunnerListener) -> None: ...

    def feed(self, audio: bytes) -> None:
        """Caller audio in the session's input format; held while there is no session."""

    def ask_response(self, instructions: str | None = None) -> None: ...

    def tell(self, message: Message) -> None: ...

    def truncate(self, item_id: str, heard_ms: int) -> None: ...

    async def interrupt(self) -> None: ...

    @property
    def history(self) -> tuple[HistoryItem, ...]: ...

    @property
    def resume_token(self) -> str | None: ...
