"""The door to a tool: what the model sees of it, and how it is run."""

from __future__ import annotations

from typing import Any, Protocol

from bridge.ports.model import ToolCall
from bridge.ports.session import ToolDefinition

__all__ = ["ToolHandler"]


class ToolHandler(Protocol):
    """A tool that can be run."""

    @property
    def definition(self) -> ToolDefinition: ...

    @property
    def timeout(self) -> float:
        """Seconds after which the call is given up and the model is told so."""

    @property
    def idempotent(self) -> bool:
        """Whether running it twice with the same arguments does no more than once."""

    async def execute(self, call: ToolCall) -> Any:
        """
        The answer: anything that JSON can say.

        Raises ToolArgumentsError, whose text the model is told so that it can mend the
        call. Any other exception is the agent's fault; its text is told to nobody.
        """
