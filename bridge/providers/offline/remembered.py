"""
What the offline agent remembers of a call, and how another process is told it.

Rule: pure. All memory is in `Remembered`: a token carries the whole of it, and a history
that is replayed makes an equal one, but for what was never said aloud.
"""

from __future__ import annotations

import base64
import binascii
import json
from collections.abc import Iterable
from dataclasses import asdict, dataclass, field, fields, replace

from bridge.errors import ResumptionRefused
from bridge.ports.conversation import AgentSaid, CallerSaid, HistoryItem, ToolUsed, read_pressed

__all__ = ["REMEMBER", "Remembered", "read_token", "recalled", "write_token"]

REMEMBER = "8"  # the key before a code
_VERSION = 1
_PREFIX = "offline."


@dataclass(frozen=True, slots=True)
class Remembered:
    """The call so far."""

    spoken: int = 0
    """Turns of the caller's in which they spoke."""
    pressed: int = 0
    """Turns of the caller's in which they pressed keys."""
    asked: int = 0
    """Calls of the agent's own tools."""
    greeted: bool = False
    awaits_code: bool = False
    code: str = field(default="", repr=False)
    last: str = field(default="", repr=False)
    """What the agent said last, or was saying."""

    @property
    def turns(self) -> int:
        return self.spoken + self.pressed

    def spoke(self) -> Remembered:
        return replace(self, spoken=self.spoken + 1)

    def keyed(self, keys: str) -> Remembered:
        """The caller pressed `keys`, which may be a code or the wish to leave one."""
        now = replace(self, pressed=self.pressed + 1, awaits_code=False)
        digits = keys.rstrip("#")
        if self.awaits_code and digits:
            return replace(now, code=digits)
        if digits.startswith(REMEMBER):
            code = digits.removeprefix(REMEMBER)
            return replace(now, code=code) if code else replace(now, awaits_code=True)
        return now

    def used(self) -> Remembered:
        return replace(self, asked=self.asked + 1)

    def said(self, text: str) -> Remembered:
        return replace(self, greeted=True, last=text) if text else self


def recalled(history: Iterable[HistoryItem], built_in: frozenset[str]) -> Remembered:
    """What somebody remembers who is told this; tools in `built_in` are not the agent's own."""
    memory = Remembered()
    for item in history:
        match item:
            case CallerSaid(text):
                keys = read_pressed(text)
                memory = memory.spoke() if keys is None else memory.keyed(keys)
            case AgentSaid(text):
                memory = memory.said(text)
            case ToolUsed(name=name) if name not in built_in:
                memory = memory.used()
            case _:
                pass
    return memory


def write_token(memory: Remembered) -> str:
    """A text from which `read_token` makes this memory, in any process."""
    facts = json.dumps({"version": _VERSION, **asdict(memory)}, separators=(",", ":"))
    return _PREFIX + base64.urlsafe_b64encode(facts.encode()).decode("ascii")


def read_token(token: str) -> Remembered:
    """Raises ResumptionRefused for anything that `write_token` does not write."""
    try:
        facts = json.loads(base64.b64decode(token.removeprefix(_PREFIX), b"-_", validate=True))
        version = facts.pop("version")
        memory = Remembered(**facts)
    except (binascii.Error, ValueError, TypeError, AttributeError, KeyError, RecursionError):
        raise ResumptionRefused("the resume token is not one of ours") from None
    if not token.startswith(_PREFIX) or version != _VERSION or not _sound(memory):
        raise ResumptionRefused("the resume token is not one of ours")
    return memory


def _sound(memory: Remembered) -> bool:
    default = Remembered()
    return all(
        type(getattr(memory, f.name)) is type(getattr(default, f.name)) for f in fields(memory)
    )
