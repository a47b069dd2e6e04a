"""How long a call bears silence, how long it waits for a model, and how long it lasts at all."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum

__all__ = ["CallRules", "Patience", "Reminder"]

MODEL_SECONDS = 6.0  # of silence in which a model that is not there has to come
LEEWAY = 30.0  # seconds beyond the longest call in which a pause is waited for


@dataclass(frozen=True, slots=True)
class CallRules:
    """What the agent's author and the operator decide about every call."""

    greeting: str | None = field(default=None, repr=False)
    silence_seconds: float | None = 15.0
    """Silence of both sides after which the agent asks whether the caller is there; None: never."""
    silence_prompts: int = 2
    """How often it asks before it says goodbye."""
    longest_seconds: float = 3_600.0
    fallback: str | None = field(default=None, repr=False)
    """Where a caller is transferred when the agent cannot go on: E.164 or a sip: URI."""
    interruptible: bool = True
    """Whether the caller may speak over the agent."""


class Reminder(StrEnum):
    """What it is time for."""

    STILL_THERE = "still_there"
    GOODBYE_SILENCE = "goodbye_silence"
    GOODBYE_TIME = "goodbye_time"
    MODEL_MISSING = "model_missing"


class Patience:
    """Counts silence from the last sign of life of either side."""

    def __init__(self, rules: CallRules, now: float) -> None:
        self._bears = float("inf") if rules.silence_seconds is None else rules.silence_seconds
        self._prompts = rules.silence_prompts
        self._ends_at = now + rules.longest_seconds
        self._quiet_since = float("inf")
        self._model_by = float("inf")
        self._asked = 0

    @property
    def deadline(self) -> float:
        if self._model_by < float("inf"):
            return self._model_by
        return min(self._goodbye_at, self._quiet_since + self._bears)

    def caller_stirred(self, now: float) -> None:
        """The caller spoke or pressed a key."""
        self._asked = 0
        self._quiet_since = max(self._quiet_since, now)

    def busy(self, until: float, now: float) -> None:
        """Somebody speaks or works, until then at the latest; nobody, where that is past."""
        self._quiet_since = until if until > now else min(self._quiet_since, now)

    def model_missing(self, since: float) -> None:
        """There is no model, and from then on the caller hears nothing."""
        self._model_by = since + MODEL_SECONDS

    def model_there(self, now: float) -> None:
        """There is one (again), and it may take its time as if it had been there all along."""
        self._model_by = float("inf")
        self._quiet_since = max(self._quiet_since, now)

    def due(self, now: float) -> Reminder | None:
        if now < self.deadline:
            return None
        if self._model_by < float("inf"):
            self._model_by = float("inf")
            return Reminder.MODEL_MISSING
        if now >= self._goodbye_at:
            self._ends_at = float("inf")
            return Reminder.GOODBYE_TIME
        self._quiet_since = now
        self._asked += 1
        over = self._asked > self._prompts
        return Reminder.GOODBYE_SILENCE if over else Reminder.STILL_THERE

    @property
    def _goodbye_at(self) -> float:
        """The longest call is over in a pause, and soon after without one."""
        return min(max(self._ends_at, self._quiet_since), self._ends_at + LEEWAY)
