"""What is left when everything is over: what each call, each session and each fault was."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Self

from bridge.simulator.journal import What
from bridge.simulator.report import CallReport
from tests.chaos.caller import NumberedCaller, Run, Spoken
from tests.chaos.words import Said, read_turn

__all__ = ["CallFacts", "Fault", "Recorded", "SessionFacts", "StreamFacts"]


@dataclass(frozen=True, slots=True)
class Fault:
    """What was done, when by the loop's clock (all times here are), and how long it took."""

    at: float
    what: str
    seconds: float = 0.0


@dataclass(frozen=True, slots=True)
class StreamFacts:
    start: float
    end: float


@dataclass(frozen=True, slots=True)
class CallFacts:
    """One call as the carrier and its caller saw it."""

    number: int
    ended: str
    """`caller-hung-up` is well."""
    answered: int
    """The last turn whose answer was heard."""
    unfinished: bool
    """The last turn was not answered."""
    spoken: Sequence[Spoken]
    runs: Sequence[Run]
    """What was heard of the agent."""
    streams: Sequence[StreamFacts]
    why: str = ""
    """It ended so, in words."""
    violations: Sequence[str] = ()
    webhooks: int = 0
    webhooks_failed: int = 0

    @classmethod
    def of(cls, caller: NumberedCaller, report: CallReport, placed_at: float) -> Self:
        asked = [each.text for each in report.timeline if each.what is What.WEBHOOK]
        voice = [text for text in asked if "/twilio/status" not in text]
        return cls(
            caller.number,
            report.ended.word,
            caller.answered,
            caller.unfinished,
            caller.spoken,
            caller.runs,
            [
                StreamFacts(placed_at + each.started_at, placed_at + each.ended_at)
                for each in report.streams
            ],
            report.ended.text,
            [f"{each.code}: {each.text}" for each in report.violations],
            len(voice),
            sum(": 200 in " not in text for text in voice),
        )


@dataclass(frozen=True, slots=True)
class SessionFacts:
    """One session with the model, as the provider saw it."""

    opened_at: float
    closed_at: float | None
    native: bool
    """The provider resumed its own; what it was told is what it remembered."""
    told: Sequence[Said]
    """What it knew when it began."""
    lived: Sequence[tuple[float, str, str]] = ()
    """What it heard and said: when, who, the words."""

    @classmethod
    def read(cls, facts: dict[str, Any]) -> Self:
        told = [(who, text) for who, text in facts["told"]]
        lived = [(at, who, text) for at, who, text in facts["lived"]]
        return cls(facts["opened_at"], facts["closed_at"], facts["native"], told, lived)

    @property
    def memory(self) -> list[Said]:
        """What it knows in the end."""
        return [*self.told, *((who, text) for _, who, text in self.lived)]

    @property
    def callers(self) -> set[int]:
        """Whose words it has heard or was told."""
        read = (read_turn(text) for who, text in self.memory if who == "user")
        return {turn[0] for turn in read if turn is not None}


@dataclass(frozen=True, slots=True)
class Recorded:
    """Everything about one run of a scenario."""

    calls: Sequence[CallFacts]
    sessions: Sequence[SessionFacts]
    faults: Sequence[Fault] = ()
    problems: Sequence[str] = ()
    """What the bridge said that the provider's protocol does not allow."""
    broken: Sequence[str] = ()
    """What else must not be: calls that raised, tracebacks in a worker's log."""
    stalls: Sequence[float] = ()
    """When the processes of the test itself came late: the machine was too slow."""
    lag: float = 0.0
    """Seconds; how late they came at worst."""
    seconds: float = 0.0
