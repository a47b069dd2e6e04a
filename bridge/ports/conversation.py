"""What has been said in a call, as a new session would be told it."""

from __future__ import annotations

import re
from dataclasses import dataclass, field

__all__ = [
    "AgentSaid",
    "CallerSaid",
    "HistoryItem",
    "Note",
    "ToolAsked",
    "ToolUsed",
    "pressed",
    "read_pressed",
]

_PRESSED = re.compile(r"The caller pressed ((?:[0-9A-D*#] )*[0-9A-D*#])\.")


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
class ToolAsked:
    """A tool call that has no answer yet; it becomes a part of the conversation with it."""

    call_id: str
    name: str
    arguments: str = field(repr=False)
    begun: bool = False
    """Whether the tool was surely begun. If not, the journal may know better."""


@dataclass(frozen=True, slots=True)
class Note:
    """Something the agent was told by the operator or the bridge, not by the caller."""

    text: str = field(repr=False)


HistoryItem = CallerSaid | AgentSaid | ToolUsed | Note


def pressed(digits: str) -> str:
    """How a model is told of the caller's keys: "The caller pressed 4 2 #."."""
    return f"The caller pressed {' '.join(digits)}."


def read_pressed(text: str) -> str | None:
    """The keys in a sentence that `pressed` made, None for any other text."""
    found = _PRESSED.fullmatch(text)
    return found[1].replace(" ", "") if found else None
