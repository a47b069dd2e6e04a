"""How long a call bears silence, and how long it lasts at all."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

__all__ = ["CallRules", "Patience", "Reminder"]


@dataclass(frozen=True, slots=True)
class CallRules:
    """What the agent's author and the operator decide about every call."""

    greeting: str | None = None
    silence_seconds: float | None = 15.0
    """Silence of both sides after which the agent asks whether the caller is there; None: never."""
    silence_prompts: int = 2
    """How often it asks before it says goodbye."""
    longest_seconds: float = 3_600.0
    fallback: str | None = None
    """Where a caller is transferred when the agent cannot go on: E.164 or a sip: URI."""
    interruptible: bool = True
    """Whether the caller may speak over the agent."""


class Reminder(StrEnum):
    """What it is time for."""

    STILL_THERE = "still_there"
    GOODBYE_SILENCE = "goodbye_silence"
    GOODBYE_TIME = "goodbye_time"


class Patience:
    """Counts silence from the last sign of life of either side."""

    def __init__(self, rules: CallRules, now: float) -> None:
        self._bears = float("inf") if rules.silence_seconds is None else rules.silence_seconds
        self._prompts = rules.silence_prompts
        self._ends_at = now + rules.longest_seconds
        self._quiet_since: float | None = None
        self._asked = 0

    @property
    def deadline(self) -> float:
        if self._quiet_since is None:
            return self._ends_at
        return min(self._ends_at, self._quiet_since + self._bears)

    def caller_stirred(self) -> None:
        """The caller spoke or pressed a key."""
        self._asked = 0

    def busy(self) -> None:
        """Somebody is speaking, or working."""
        self._quiet_since = None

    def quiet(self, now: float) -> None:
        """Nobody is."""
        if self._quiet_since is None:
            self._quiet_since = now

    def due(self, now: float) -> Reminder | None:
        if now >= self._ends_at:
            self._ends_at = float("inf")
            return Reminder.GOODBYE_TIME
        if self._quiet_since is None or now < self._quiet_since + self._bears:
            return None
        self._quiet_since = now
        self._asked += 1
        over = self._asked > self._prompts
        return Reminder.GOODBYE_SILENCE if over else Reminder.STILL_THERE
