"""Short words for the scripts of a call."""

from __future__ import annotations

from collections.abc import Iterable

from bridge.audio.formats import ULAW_8K
from bridge.call.machine import Call
from bridge.call.patience import CallRules
from bridge.call.vocabulary import (
    CallCommand,
    CallEvent,
    Happened,
    ModelReady,
    Moment,
    Over,
    TimeIsUp,
    Voice,
)
from bridge.errors import Ending, Fault
from bridge.ports import leg
from bridge.ports import server_events as model
from bridge.ports.server_events import ResponseStatus

__all__ = [
    "LOST",
    "STARTED",
    "TIME",
    "CallScript",
    "deeds",
    "done",
    "marks",
    "moments",
    "played",
    "sound",
    "voice",
]

STARTED = leg.Started("CA1", ULAW_8K)
TIME = TimeIsUp()
LOST = leg.Ended(Ending(Fault.CARRIER, "lost"), lost=True)


def sound(ms: float) -> bytes:
    """So many milliseconds of the leg's audio."""
    return b"\x10" * ULAW_8K.size(ms)


def voice(ms: float = 100, *, response: str = "r1", item: str = "i1") -> Voice:
    return Voice(item, response, sound(ms))


def done(
    response: str = "r1", status: ResponseStatus = ResponseStatus.COMPLETED, reason: str = ""
) -> model.ResponseDone:
    return model.ResponseDone(response, status, reason)


def deeds(commands: Iterable[CallCommand]) -> list[CallCommand]:
    """What is to be done, without the lines of the timeline."""
    return [command for command in commands if not isinstance(command, Happened)]


def moments(commands: Iterable[CallCommand]) -> list[Moment]:
    """The lines of the timeline."""
    return [command.what for command in commands if isinstance(command, Happened)]


def played(commands: Iterable[CallCommand]) -> list[bytes]:
    """The pieces of the agent's voice that are sent."""
    return [command.audio for command in commands if isinstance(command, leg.Play)]


def marks(commands: Iterable[CallCommand]) -> list[str]:
    plays = [command for command in commands if isinstance(command, leg.Play)]
    return [play.mark for play in plays if play.mark is not None]


class CallScript:
    """
    A call as a script tells it: what happens, and when. `over` is how it ended.

    It begins with the caller and the model there, unless `begun` says otherwise.
    """

    def __init__(
        self,
        rules: CallRules | None = None,
        *,
        ready: ModelReady | None = None,
        begun: bool = True,
    ) -> None:
        self.call = Call(rules or CallRules(), ULAW_8K, 0.0)
        self.over: Over | None = None
        self.pending: list[str] = []
        """Marks that are with the carrier."""
        if begun:
            self.at(0.0, STARTED, ready or ModelReady())

    def at(self, now: float, *events: CallEvent) -> list[CallCommand]:
        """These things happen; all that is to be done about them."""
        return [command for event in events for command in self._handle(event, now)]

    def heard(self, now: float, count: int | None = None) -> list[CallCommand]:
        """The carrier is past the first `count` of the marks it has, or past all of them."""
        names = self.pending[:count]
        del self.pending[: len(names)]
        return self.at(now, *(leg.Played(name) for name in names))

    def answer(self, now: float, ms: float = 500, *, response: str = "r1") -> list[CallCommand]:
        """The model says all of an answer."""
        return self.at(
            now,
            model.ResponseCreated(response),
            voice(ms, response=response, item=f"item of {response}"),
            done(response),
        )

    def wake(self) -> tuple[float, list[CallCommand]]:
        """Time passes until the machine's deadline."""
        deadline = self.call.deadline
        assert deadline is not None
        return deadline, self.at(deadline, TIME)

    def _handle(self, event: CallEvent, now: float) -> list[CallCommand]:
        commands = list(self.call.handle(event, now))
        for command in commands:
            match command:
                case leg.Play(mark=str(name)):
                    self.pending.append(name)
                case Over():
                    self.over = command
                case _:
                    pass
        return commands
