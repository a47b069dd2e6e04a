"""What has been said in a call, as a new session would be told it."""

from __future__ import annotations

from dataclasses import dataclass, field

__all__ = ["AgentSaid", "CallerSaid", "HistoryItem", "Note", "ToolUsed"]


@dataclass(frozen=True, slots=True)
class CallerSaid:
    """The transcript of one turn of the caller's."""

    text: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class AgentSaid:
    """What the caller heard of one turn of the agent's, and nothing that was cut off."""

    text: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class ToolUsed:
    """A tool call with its answer; `arguments` and `output` are JSON texts."""

    call_id: str
    name: str
    arguments: str = field(repr=False)
    output: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class Note:
    """Something the agent was told by the operator or the bridge, not by the caller."""

    text: str = field(repr=False)


HistoryItem = CallerSaid | AgentSaid | ToolUsed | Note
