"""What happened in a simulated call, in the order in which it happened."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from enum import StrEnum

__all__ = ["Journal", "Moment", "MomentListener", "Utterance", "Violation", "What"]

MAX_VIOLATIONS = 200  # after that they are only counted


class What(StrEnum):
    """The kinds of moments."""

    WEBHOOK = "webhook"
    TWIML = "twiml"
    PICKED_UP = "picked-up"
    STREAM_STARTED = "stream-started"
    STREAM_ENDED = "stream-ended"
    CALLER_BEGAN = "caller-began"
    CALLER_ENDED = "caller-ended"
    CALLER_GAVE_UP = "caller-gave-up"
    CALLER_HUNG_UP = "caller-hung-up"
    AGENT_BEGAN = "agent-began"
    AGENT_STOPPED = "agent-stopped"
    KEY = "key"
    MARK = "mark"
    CLEAR = "clear"
    GAP = "gap"
    VIOLATION = "violation"
    CARRIER = "carrier"
    """The carrier speaks, dials or refuses by itself."""
    ENDED = "ended"


@dataclass(frozen=True, slots=True)
class Moment:
    """`what` happened `at` so many seconds after the call was placed."""

    at: float
    what: What
    text: str = ""


@dataclass(frozen=True, slots=True)
class Violation:
    """Something that the bridge must not do; `code` is Twilio's error or warning."""

    at: float
    code: int
    text: str


@dataclass(slots=True)
class Utterance:
    """The caller's words in mu-law. `start` and `end`: when the first and last frame went out."""

    name: str
    audio: bytes = field(repr=False)
    start: float
    interrupting: bool = False
    end: float | None = None

    def since(self, began: float) -> Utterance:
        """The same, with its times counted from `began` on."""
        end = None if self.end is None else self.end - began
        return replace(self, start=self.start - began, end=end)


MomentListener = Callable[[Moment], None]


class Journal:
    """
    The moments of one call, whose clock began at `began`; a `listener` hears them live.

    All times that go in are the loop's, all that come out count from the beginning.
    """

    def __init__(self, began: float, listener: MomentListener | None = None) -> None:
        self.began = began
        self.moments: list[Moment] = []
        self.violations: list[Violation] = []
        self.violation_count = 0
        self._listener = listener

    def note(self, now: float, what: What, text: str = "") -> None:
        """Something happened."""
        moment = Moment(round(now - self.began, 4), what, text)
        self.moments.append(moment)
        if self._listener is not None:
            self._listener(moment)

    def violate(self, now: float, code: int, text: str) -> None:
        """The bridge did what Twilio would complain about."""
        self.violation_count += 1
        if self.violation_count <= MAX_VIOLATIONS:
            self.violations.append(Violation(round(now - self.began, 4), code, text))
            self.note(now, What.VIOLATION, f"{code}: {text}")
