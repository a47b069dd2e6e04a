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
    knows all that the wish was about. `tick` has to be told the time before anything here
    is asked.
    """

    def __init__(self) -> None:
        self.active: str | None = None
        self.speaking = False
        self._wanted: ResponseAsked | None = None
        self._asked: ResponseAsked | None = None
        self._asked_until = 0.0
        self._granted: ResponseAsked | None = None
        self._due_until: float | None = None

    @property
    def busy(self) -> bool:
        """Whether a response is under way or asked for."""
        return self.active is not None or self._asked is not None

    @property
    def answer_due(self) -> bool:
        """Whether the caller has just finished, and the provider may begin by itself."""
        return self._due_until is not None

    @property
    def settled(self) -> bool:
        """Whether nobody speaks, and nothing that was said or wished waits for an answer."""
        return not (self.busy or self.speaking or self.answer_due or self._wanted is not None)

    @property
    def deadline(self) -> float | None:
        """When `tick` wants to be told the time, if nothing else happens."""
        asked_until = self._asked_until if self._asked is not None else None
        return min((at for at in (asked_until, self._due_until) if at is not None), default=None)

    def tick(self, now: float) -> None:
        """Give up what did not come in time."""
        if self._asked is not None and now >= self._asked_until:
            self._asked = None
        if self._due_until is not None and now >= self._due_until:
            self._due_until = None

    # Wishes

    def want(self, wish: ResponseAsked) -> None:
        """
        Ask for a response as soon as that is possible. The newest wish wins, but one
        without instructions adds nothing to one that has some.
        """
        if wish.instructions is not None or self._wanted is None:
            self._wanted = wish

    def due(self, now: float) -> Respond | None:
        """The request to send now, if there is one."""
        if self._wanted is None or not self._free:
            return None
        wish, self._wanted = self._wanted, None
        self._ask(wish, now)
        return Respond(wish.instructions)

    def claim(self, now: float) -> bool:
        """Take the turn for a message that asks for its answer itself; False: it has to wait."""
        if self._wanted is not None or not self._free:
            return False
        self._ask(ResponseAsked(), now)
        return True

    def expect(self, now: float) -> None:
        """The model goes on by itself."""
        if not self.busy:
            self._ask(ResponseAsked(), now)

    # What the provider says

    def created(self, response_id: str) -> None:
        self.active = response_id or _UNNAMED
        if self._asked is None:
            self._wanted = None
        self._granted, self._asked = self._asked, None
        self._due_until = None

    def done(self, response_id: str) -> None:
        if self.active == _UNNAMED or response_id in {"", self.active}:
            self.active = self._granted = None

    def refused(self, now: float) -> None:
        """The response asked for will not come, another is under way: it is still wanted."""
        self.want(self._asked or self._granted or ResponseAsked())
        self._asked = self._granted = None
        if self.active is None:
            self._due_until = now + VAD_GRACE

    def speech_started(self) -> None:
        self.speaking, self._due_until = True, None

    def speech_stopped(self, now: float) -> None:
        self.speaking, self._due_until = False, now + VAD_GRACE

    def committed(self, now: float) -> None:
        """What the caller said has become an item; some providers say no other end."""
        if self.speaking:
            self.speech_stopped(now)

    def cleared(self) -> None:
        """What the caller said was forgotten, and will not be answered."""
        self.speaking = False

    def forget(self) -> None:
        """The session is gone, and what it was doing with it. Wishes stay."""
        if self._wanted is None:
            self._wanted = self._asked
        self.active = self._asked = self._granted = self._due_until = None
        self.speaking = False

    @property
    def _free(self) -> bool:
        return not (self.busy or self.speaking or self.answer_due)

    def _ask(self, wish: ResponseAsked, now: float) -> None:
        self._asked, self._asked_until = wish, now + ANSWER_TIMEOUT
