"""
Whether a pause is one in which a session can be replaced.

Nobody answers and nobody was asked, and still a resumption may come too soon: while the
caller is in the middle of a sentence that no voice detector has told of, and while the
token is on its way that holds the answer just given.
"""

from __future__ import annotations

__all__ = ["Lull"]

SENTENCE = 1.0  # seconds without a new word, after which the caller counts as silent
TOKEN_WAIT = 2.0  # seconds after an answer in which its token is waited for


class Lull:
    """`tick` has to be told the time before `until` is asked."""

    def __init__(self) -> None:
        self._silent_at: float | None = None
        self._token_by: float | None = None
        self._token_missing = False

    @property
    def until(self) -> float | None:
        """When the pause is long enough, if nothing else happens; None: it is."""
        waits = [at for at in (self._silent_at, self._token_by) if at is not None]
        return max(waits, default=None)

    def tick(self, now: float) -> None:
        if self._silent_at is not None and now >= self._silent_at:
            self._silent_at = None
        if self._token_by is not None and now >= self._token_by:
            self._token_by = None

    def caller_said(self, now: float) -> None:
        """A piece of what the caller says was written down."""
        self._silent_at = now + SENTENCE

    def answered(self, now: float) -> None:
        """The model has answered."""
        self._silent_at = None
        if self._token_missing:
            self._token_by = now + TOKEN_WAIT

    def token(self, *, there: bool) -> None:
        """The provider has given a token, or said that there is none just now."""
        self._token_missing, self._token_by = not there, None

    def forget(self) -> None:
        """The session is gone."""
        self._silent_at = self._token_by = None
        self._token_missing = False
