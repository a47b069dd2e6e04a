"""The end of a call: the agent's last words, and that the caller hears all of them."""

from __future__ import annotations

from bridge.call.vocabulary import Finishing

__all__ = ["Closing"]

LAST_WORDS = 8.0  # seconds in which the agent may begin and finish its last words
PLAY_OUT = 20.0  # seconds in which the caller may hear them to the end


class Closing:
    """
    Waits for the last words. They may have been said already: a model that ends a call
    often says goodbye in the very answer in which it asks for the end.
    """

    def __init__(self, wish: Finishing, now: float, *, said: bool) -> None:
        self.wish = wish
        self._said = said or not wish.after_words
        self._until = now + (PLAY_OUT if self._said else LAST_WORDS)

    @property
    def deadline(self) -> float:
        """When the call ends, whatever was said by then."""
        return self._until

    @property
    def listening(self) -> bool:
        """Whether the agent may still say something."""
        return not self._said

    def answered(self, now: float) -> None:
        """The agent has spoken: those were the last words."""
        if not self._said:
            self._said = True
            self._until = now + PLAY_OUT

    def over(self, now: float, *, speaking: bool, generating: bool) -> bool:
        """Whether nothing is left to wait for."""
        if now >= self._until:
            return True
        return self._said and not speaking and not generating
