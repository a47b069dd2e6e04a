"""
The door to what outlives a worker: who holds a call, and what the next one must know.

A call is held by whoever claimed it last. A claim takes the call from an earlier holder,
never waits for it, and carries a fence: a number that only rises. What is written under an
older fence is refused. Reading never deletes.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Protocol

from bridge.ports.conversation import HistoryItem, ToolAsked
from bridge.ports.leg import Verdict
from bridge.ports.mail import ChangeWish, Letter, Posted
from bridge.ports.session import RealtimeConfig
from bridge.ports.tools import Found

__all__ = [
    "CallRecord",
    "CallState",
    "CallStore",
    "CallSummary",
    "Claim",
    "Cut",
    "Left",
    "Line",
    "Mailbox",
    "PendingChange",
    "Saved",
    "Standing",
    "StoredJournal",
]


class CallState(StrEnum):
    """How a call stands, as the store knows it."""

    NEW = "new"
    LIVE = "live"
    WAITING = "waiting"
    """Its leg is gone and nobody has claimed it yet."""
    ENDED = "ended"


class Cut(StrEnum):
    """Who was speaking when a leg or a worker was lost."""

    NOBODY = ""
    AGENT = "agent"
    CALLER = "caller"


Line = tuple[float, str, str, float | None]
"""Of a call's timeline: seconds since its beginning, what happened, detail, and its seconds."""


class Left(StrEnum):
    """How a call's last leg was let go of."""

    WORKER_LOST = "worker_lost"
    """It was not: whoever holds the call has it still, or is dead."""
    LEG_LOST = "leg_lost"
    HANDED_OVER = "handed_over"


@dataclass(frozen=True, slots=True)
class PendingChange:
    """A change of the session that no session has yet."""

    change: RealtimeConfig = field(repr=False)
    bridge_message: str | None = field(default=None, repr=False)
    attempts: int = 0


@dataclass(frozen=True, slots=True)
class CallRecord:
    """What another worker needs to go on with a call."""

    call_id: str
    account_id: str = ""
    carrier: str = ""
    agent: str = ""
    caller: str = field(default="", repr=False)
    called: str = field(default="", repr=False)
    parameters: Mapping[str, str] = field(default_factory=dict, repr=False)
    started_at: float = 0.0
    """Unix time."""
    config: RealtimeConfig | None = field(default=None, repr=False)
    """What updates made of the agent's own configuration; None: as the agent says."""
    resume_token: str | None = field(default=None, repr=False)
    history: tuple[HistoryItem, ...] = field(default=(), repr=False)
    unanswered: tuple[ToolAsked, ...] = field(default=(), repr=False)
    """Tool calls that the model waits for."""
    pending: PendingChange | None = None
    cut: Cut = Cut.NOBODY
    left: Left = Left.WORKER_LOST
    timeline: tuple[Line, ...] = ()
    """What happened, up to a few seconds ago; the oldest lines are gone."""
    written: tuple[int, int] = (0, 0)
    """By whom and when: the holder's fence, and the number of its write. For stores alone."""


@dataclass(frozen=True, slots=True)
class Standing:
    """What a carrier's question about a call is answered from."""

    state: CallState
    fence: int = 0
    """The next claim must name this fence."""
    claims: int = 0
    """How many legs the call had lately, or should have had: many in little time are a loop."""
    verdict: Verdict | None = None


@dataclass(frozen=True, slots=True)
class Claim:
    """The call is ours, until somebody else claims it."""

    call_id: str
    fence: int
    claim_id: str
    record: CallRecord | None
    """What is known of the call; None when the store has lost it."""
    resumed: bool = False
    """Whether somebody held the call before."""


class Saved(StrEnum):
    """What became of a write."""

    OK = "ok"
    MAIL = "mail"
    """Written, and there are letters to the call."""
    FENCED = "fenced"
    """Somebody else holds the call: stop at once."""


@dataclass(frozen=True, slots=True)
class CallSummary:
    """A call in progress, as the operator sees it."""

    call_id: str
    carrier: str
    state: CallState
    worker: str
    started_at: float


class StoredJournal(Protocol):
    """
    Which tools of a call were begun, and what they answered: told before a tool runs and
    when it has answered, for whoever takes the call over. Every method raises StoreError
    when that could not be written down in time.
    """

    async def begin(self, claim: Claim, tool_call_id: str) -> Found:
        """A tool is about to run. Asked again under the same claim, it is still NEW."""

    async def done(self, claim: Claim, tool_call_id: str, result: bytes) -> None:
        """
        It has answered. Whoever holds the call by now would rather know, so an older claim
        may say so too; once the call is over, nobody wants to know.
        """


class Mailbox(Protocol):
    """Every method raises StoreError when it is not answered in time."""

    async def post(self, call_id: str, letter_id: str, wish: ChangeWish) -> Posted:
        """Leave a letter, and alert the holder. The same `letter_id` twice is one letter."""

    async def read(self, claim: Claim) -> Sequence[Letter] | None:
        """What nobody has acknowledged, oldest first. None: the call is no longer ours."""

    async def acknowledge(self, claim: Claim, place: str) -> None:
        """What was asked for up to this place is done."""

    async def alert(self, call_id: str) -> None:
        """Let the worker that has this call look after it: something happened to it."""

    async def alerts(self, worker: str) -> Sequence[str]:
        """The calls that this worker should look after. Each alert is told once, at most."""


class CallStore(Protocol):
    """Every method raises StoreError when the store does not answer in time."""

    @property
    def tools(self) -> StoredJournal:
        """What became of the calls' tools."""

    @property
    def mailbox(self) -> Mailbox:
        """What others want of the calls."""

    @property
    def shared(self) -> bool:
        """Whether other workers see the same calls, so that one of them can take over."""

    async def standing(self, call_id: str, *, leg_ended: bool = False) -> Standing:
        """
        How the call stands. `leg_ended`: the carrier asks because a leg is over, which
        counts as a leg even if it never claimed the call.
        """

    async def expect(self, record: CallRecord) -> None:
        """A call has come in and nobody holds it yet. What is known of it already stays."""

    async def claim(self, call_id: str, *, fence: int, claim_id: str, worker: str) -> Claim | None:
        """
        Take the call, whoever holds it. None when `fence` is not the one that `standing`
        told last, because the ticket was used or a newer one is out, and when the call has
        ended. The same `claim_id` twice is one claim.
        """

    async def save(self, claim: Claim, record: CallRecord) -> Saved:
        """Keep the record, if the call is still ours: not claimed anew, released or ended."""

    async def release(self, claim: Claim, record: CallRecord, *, planned: bool = False) -> Saved:
        """
        The leg is gone, the call is not: keep the record for whoever claims it next. Twice
        is the same as once. `planned`: we let go of the leg ourselves, so that it does not
        count among the many in little time that are a loop.
        """

    async def end(self, call_id: str, verdict: Verdict, *, claim: Claim | None = None) -> Saved:
        """
        The call is over for good, with this verdict. Ending twice keeps the first.

        With `claim` only if nobody has claimed the call since; without, whoever holds it.
        """

    async def look(self, call_id: str) -> CallRecord | None:
        """What is known of a call that has not ended; None: nothing. It is not claimed by that."""

    async def calls(self) -> Sequence[CallSummary]:
        """The calls in progress on all workers: those that live, and those that wait for a leg."""

    async def close(self) -> None: ...
