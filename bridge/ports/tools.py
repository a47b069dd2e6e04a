"""
The doors to tools: to one, how the model sees it and how it is run; and to the journal, in
which it is written down that a tool was begun and what it answered.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, Protocol

from bridge.ports.model import ToolCall
from bridge.ports.session import ToolDefinition

__all__ = ["Found", "ToolHandler", "ToolJournal", "ToolState"]


class ToolHandler(Protocol):
    """A tool that can be run."""

    @property
    def definition(self) -> ToolDefinition: ...

    @property
    def timeout(self) -> float:
        """Seconds after which the call is given up and the model is told so."""

    @property
    def idempotent(self) -> bool:
        """
        Whether a call of it that may have run already may be run again: it does no more
        than once with the same arguments, or with the same key.
        """

    @property
    def needs_journal(self) -> bool:
        """Whether it is better not run than run while the journal does not answer."""

    async def execute(self, call: ToolCall) -> Any:
        """
        The answer: anything that JSON can say.

        Raises ToolArgumentsError, whose text the model is told so that it can mend the
        call. Any other exception is the agent's fault; its text is told to nobody.
        """


class ToolState(StrEnum):
    """What the journal knows of a tool call."""

    NEW = "new"
    """Nobody else has begun it. It is written down that it is begun now."""
    BEGUN = "begun"
    """An earlier holder of the call has begun it, and nobody knows how it went."""
    DONE = "done"
    FENCED = "fenced"
    """The telephone call is no longer ours, or over."""


@dataclass(frozen=True, slots=True)
class Found:
    """What the journal has of a tool call."""

    state: ToolState
    result: bytes | None = field(default=None, repr=False)
    """What `done` was told, if it is DONE."""


class ToolJournal(Protocol):
    """The tool calls of one conversation, as other workers see them too."""

    async def begin(self, tool_call_id: str) -> Found:
        """
        A tool is about to run; asked again by the same holder, it is still NEW.

        Raises StoreError when it could not be written down.
        """

    async def done(self, tool_call_id: str, result: bytes) -> None:
        """It has answered. Raises StoreError when that could not be written down."""
