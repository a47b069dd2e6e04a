"""The end of a call: the agent's last words, and that the caller hears all of them."""

from __future__ import annotations

from bridge.call.vocabulary import Finishing

__all__ = ["Closing"]

BEGIN_SECONDS = 8.0  # in which the agent has to begin its last words
LONGEST_SECONDS = 60.0  # that last words may take, besides what is queued already


class Closing:
    """
    Waits for the last words. They may have been said already: a model that ends a call
    often says goodbye in the very answer in which it asks for the end.

    `expected`: they are still to come. `heard_by`: when the caller will have heard what is
    queued so far. Whatever goes wrong, the call ends at `deadline`.
    """

    def __init__(self, wish: Finishing, now: float, *, expected: bool, heard_by: float) -> None:
        self.wish = wish
        self._begin_by = now + BEGIN_SECONDS if expected else float("-inf")
        self._latest = max(now, heard_by) + LONGEST_SECONDS
        self._busy_until = float("-inf")

    @property
    def deadline(self) -> float:
        """When the call ends, if nothing else happens."""
        return min(max(self._begin_by, self._busy_until), self._latest)

    @property
    def listening(self) -> bool:
        """Whether the agent may still begin to say something."""
        return self._begin_by > float("-inf")

    def answered(self) -> None:
        """Those were the last words, or there will be none."""
        self._begin_by = float("-inf")

    def busy(self, until: float) -> None:
        """Until then at the latest the agent is speaking, and the caller hearing it."""
        self._busy_until = until

    def over(self, now: float) -> bool:
        """Whether nothing is left to wait for."""
        return now >= self.deadline
