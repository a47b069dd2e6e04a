"""
The model's answers: which were asked for, which failed, and which the caller may hear.

Rule: an answer that was refused stays refused, whatever of it still comes. One that begins
is a new one, though it may bear the id of an old one, or none at all.
"""

from __future__ import annotations

from bridge.call.vocabulary import AskResponse
from bridge.ports import phrases
from bridge.ports.server_events import ResponseStatus

__all__ = ["Answers"]

SIGN_OF_LIFE = 15.0  # seconds without one, after which an answer is not waited for any more
MAX_FAILED = 3  # in a row, and the model counts as gone
MAX_ANSWERS = 16  # that are remembered; what comes late comes soon


class Answers:
    """Follows the responses of one model, over all its sessions."""

    def __init__(self) -> None:
        self._wanted: dict[str, bool] = {}
        self._latest = ""
        self._open = False
        self._muted = False
        self._alive_until = float("-inf")
        self.spoke = False
        """Whether the caller hears, or heard, the latest answer."""
        self._asked: AskResponse | None = None
        self._answering: AskResponse | None = None
        self._failed = 0
        self.called = False
        """Whether the latest answer calls a tool."""

    @property
    def generating(self) -> bool:
        """Whether an answer that the caller may hear is under way."""
        return self._open and self._may_be_heard(self._latest)

    @property
    def busy_until(self) -> float:
        """How long an answer that is under way is waited for; in the past where none is."""
        return self._alive_until if self.generating else float("-inf")

    @property
    def expected(self) -> bool:
        """Whether an answer is under way or asked for."""
        return self.generating or self._asked is not None

    @property
    def said(self) -> bool:
        """Whether the latest answer has a voice, nobody spoke over it and none is to follow."""
        return self._asked is None and self.spoke and self._may_be_heard(self._latest)

    @property
    def half_said(self) -> bool:
        """Whether some of an answer was heard, and more of it is to come."""
        return self.generating and self.spoke

    def ask(self, instructions: str | None) -> AskResponse:
        """The command that asks for an answer."""
        self._asked = AskResponse(instructions)
        return self._asked

    def ask_again(self) -> AskResponse | None:
        """The same after it has failed; None when it has failed too often."""
        if self._failed >= MAX_FAILED:
            return None
        if self.spoke:
            return self.ask(phrases.GO_ON)
        return self.ask(None if self._answering is None else self._answering.instructions)

    def is_latest(self, response_id: str) -> bool:
        """Whether this is the latest answer's id. None at all can only mean the latest."""
        return not (response_id and self._latest) or response_id == self._latest

    def begin(self, response_id: str, now: float) -> None:
        """The model begins to answer."""
        self._wanted.pop(response_id, None)
        self._wanted[response_id] = not self._muted
        while len(self._wanted) > MAX_ANSWERS:
            del self._wanted[next(iter(self._wanted))]
        self._latest, self._open = response_id, True
        self._answering, self._asked = self._asked, None
        self.spoke = self.called = False
        self._alive_until = now + SIGN_OF_LIFE

    def hear(self, response_id: str, now: float) -> bool:
        """A piece of an answer's voice is here: whether the caller may hear it."""
        wanted = self._wanted.get(response_id or self._latest)
        if wanted is None:
            self.begin(response_id, now)  # nobody announced it
            wanted = not self._muted
        if not wanted:
            return False
        self._alive_until = now + SIGN_OF_LIFE
        return True

    def speak(self, response_id: str) -> bool:
        """The caller hears an answer; whether it is the latest, and for the first time."""
        first = not self.spoke and self.is_latest(response_id)
        self.spoke = self.spoke or first
        return first

    def end(self, response_id: str, status: ResponseStatus) -> bool:
        """An answer is over; whether it was the latest."""
        if not self.is_latest(response_id):
            return False
        self._open = False
        match status:
            case ResponseStatus.FAILED:
                self._failed += 1
            case ResponseStatus.COMPLETED | ResponseStatus.INCOMPLETE:
                self._failed = 0
            case ResponseStatus.CANCELLED:
                pass
        return True

    def refuse(self) -> None:
        """Nothing more of all that has begun is to be heard."""
        for response_id in self._wanted:
            self._wanted[response_id] = False

    def mute(self) -> None:
        """Nothing of what begins from now on is to be heard."""
        self._muted = True

    def lose(self) -> None:
        """The session is gone: what was under way will not come, and ids begin anew."""
        self._wanted.clear()
        self._latest, self._open = "", False
        self.spoke = self.called = False

    def _may_be_heard(self, response_id: str) -> bool:
        return self._wanted.get(response_id or self._latest, False)
