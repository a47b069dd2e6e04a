"""Whether the model is answering, and when it may be asked to."""

from __future__ import annotations

from bridge.runner.vocabulary import Respond, ResponseAsked

__all__ = ["Responses"]

ANSWER_TIMEOUT = 10.0  # seconds from asking for a response to giving up on it
VAD_GRACE = 1.0  # seconds after the caller's turn in which the provider begins by itself

_UNNAMED = "?"


class Responses:
    """
    One response at a time: a wish that comes while the model or the caller speaks waits.

    A response that the provider begins by itself settles the wish that waits, because it
    knows all that the wish was about.
    """

    def __init__(self) -> None:
        self.active: str | None = None
        self.speaking = False
        self._wanted: ResponseAsked | None = None
        self._asked_until: float | None = None
        self._not_before = 0.0

    @property
    def busy(self) -> bool:
        """Whether a response is under way or asked for."""
        return self.active is not None or self._asked_until is not None

    @property
    def deadline(self) -> float | None:
        """When `due` or `expire` wants to be asked again, if nothing else happens."""
        if self._asked_until is not None:
            return self._asked_until
        waiting = self._wanted is not None and self.active is None and not self.speaking
        return self._not_before if waiting else None

    def want(self, wish: ResponseAsked) -> None:
        """Ask for a response as soon as that is possible; the newest wish wins."""
        self._wanted = wish

    def created(self, response_id: str) -> None:
        self.active = response_id or _UNNAMED
        if self._asked_until is None:
            self._wanted = None
        self._asked_until = None

    def done(self, response_id: str) -> None:
        if self.active in (response_id, _UNNAMED):
            self.active = None

    def refused(self) -> None:
        """The response asked for will not come, another is under way: it is still wanted."""
        self._asked_until = None
        if self._wanted is None:
            self._wanted = ResponseAsked()

    def speech_started(self) -> None:
        self.speaking = True

    def speech_stopped(self, now: float) -> None:
        self.speaking = False
        self._not_before = now + VAD_GRACE

    def due(self, now: float) -> Respond | None:
        """The request to send now, if there is one."""
        if self._asked_until is not None and now >= self._asked_until:
            self._asked_until = None
        if self._wanted is None or self.busy or self.speaking or now < self._not_before:
            return None
        wish, self._wanted = self._wanted, None
        self._asked_until = now + ANSWER_TIMEOUT
        return Respond(wish.instructions)

    def forget(self) -> None:
        """The session is gone, and what it was doing with it. Wishes stay."""
        self.active = None
        self.speaking = False
        self._asked_until = None
        self._not_before = 0.0
