"""
The mail of calls: what others want of a call, left for whoever holds it.

A letter that nobody has acknowledged when its reader dies is read by the next one. So it may
be read twice, and asks for something that may be done twice.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum

from bridge.ports.session import RealtimeConfig

__all__ = ["ChangeWish", "Letter", "Posted"]


@dataclass(frozen=True, slots=True)
class ChangeWish:
    """Somebody wants the session to be changed, and the model to be told of it."""

    change: RealtimeConfig = field(repr=False)
    bridge_message: str | None = field(default=None, repr=False)


class Posted(StrEnum):
    """What became of a letter."""

    LEFT = "left"
    """The call's holder will read it, or whoever holds it next."""
    ENDED = "ended"
    UNKNOWN = "unknown"
    """There is no such call."""


@dataclass(frozen=True, slots=True)
class Letter:
    wish: ChangeWish
    place: str
    """What to acknowledge: this letter and those before it."""
