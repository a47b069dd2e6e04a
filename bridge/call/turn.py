"""The caller's turn, as far as the provider tells of it: not every provider does."""

from __future__ import annotations

__all__ = ["CallerTurn"]

LONGEST_SPEECH = 60.0  # seconds without a pause, after which it is a noise and no speech
ANSWER_SECONDS = 3.0  # after the caller's turn in which the model begins to answer by itself


class CallerTurn:
    """Whether the caller is speaking, and how long they have waited for an answer."""

    def __init__(self) -> None:
        self._since: float | None = None
        self._ended_at: float | None = None

    @property
    def speaking(self) -> bool:
        return self._since is not None

    @property
    def unanswered(self) -> bool:
        """Whether the caller has spoken and nobody has answered yet."""
        return self._ended_at is not None

    @property
    def busy_until(self) -> float:
        """How long the line counts as busy with this turn; in the past when it does not."""
        if self._since is not None:
            return self._since + LONGEST_SPEECH
        return float("-inf") if self._ended_at is None else self._ended_at + ANSWER_SECONDS

    def begins(self, now: float) -> None:
        self._since, self._ended_at = now, None

    def ends(self, now: float) -> None:
        self._since, self._ended_at = None, now

    def answered(self, now: float) -> float | None:
        """Seconds from the end of the turn until now, None where no turn has ended."""
        waited = None if self._ended_at is None else now - self._ended_at
        self._ended_at = None
        return waited

    def forget(self) -> None:
        """Whoever would have told of the end of the speech is gone."""
        self._since = None
