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
    """All times are seconds of one clock."""

    def __init__(self) -> None:
        self._silent_at = 0.0
        self._token_by = 0.0
        self._token_missing = False

    @property
    def until(self) -> float:
        """When the pause is long enough, if nothing else happens; in the past when it is."""
        return max(self._silent_at, self._token_by)

    def caller_said(self, now: float) -> None:
        """A piece of what the caller says was written down."""
        self._silent_at = now + SENTENCE

    def answered(self, now: float) -> None:
        """The model has answered."""
        self._silent_at = 0.0
        if self._token_missing:
            self._token_by = now + TOKEN_WAIT

    def token(self, *, there: bool) -> None:
        """The provider has given a token, or said that there is none just now."""
        self._token_missing, self._token_by = not there, 0.0

    def forget(self) -> None:
        """The session is gone."""
        self._silent_at = self._token_by = 0.0
        self._token_missing = False
