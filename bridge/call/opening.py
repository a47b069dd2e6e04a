"""The beginning of a call: what the agent says first, at once and only once."""

from __future__ import annotations

from bridge.call.vocabulary import ModelReady, Tell
from bridge.ports import phrases
from bridge.ports.client_events import Message
from bridge.ports.store import Cut

__all__ = ["Opening"]


class Opening:
    """Waits until both are there, whoever comes first: the caller and the model."""

    def __init__(self, greeting: str | None) -> None:
        self._greeting = greeting
        self._ready: ModelReady | None = None
        self.over = False
        """Whether the agent has begun, or waits for the caller to."""
        self.caller_here = False

    @property
    def model_there(self) -> bool:
        return self._ready is not None

    def caller_comes(self) -> None:
        self.caller_here = True

    def model_comes(self, ready: ModelReady) -> None:
        self._ready = ready

    def begin(self) -> str | Tell | None:
        """
        The instruction or the message with which the agent begins. None: not yet, or it
        waits for the caller to speak.
        """
        if self.over or self._ready is None or not self.caller_here:
            return None
        self.over = True
        match self._ready:
            case ModelReady(resumed=True, cut=Cut.AGENT):
                return phrases.GO_ON
            case ModelReady(resumed=True, cut=Cut.CALLER):
                return Tell(Message("system", phrases.ASK_AGAIN, respond=True))
            case ModelReady(resumed=False) if self._greeting:
                return phrases.greet(self._greeting)
            case _:
                return None
