"""The store in process memory: the reference for all others, and enough for one worker."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from bridge.ports.fleet import Holding
from bridge.ports.leg import Verdict
from bridge.ports.store import CallRecord, CallState, CallSummary, Claim, Saved, Standing
from bridge.store.journal import MemoryJournal
from bridge.store.mail import MemoryMailbox

__all__ = ["MemoryStore"]

LOOP_WINDOW = 30.0  # seconds over which claims and ended legs are counted
KEEP_ENDED = 3_600.0  # seconds for which a call that has ended is remembered
KEEP_WAITING = 300.0  # seconds for which a call without a leg is kept
LEASE = 5.0  # seconds for which a write tells that the call's owner is alive
KEEP_LIVE = 86_400.0  # seconds; no carrier's call lasts longer, so its worker has forgotten it


@dataclass(slots=True)
class _Entry:
    state: CallState = CallState.NEW
    fence: int = 0
    claim_id: str | None = None
    worker: str = ""
    record: CallRecord | None = None
    verdict: Verdict | None = None
    claims: deque[float] = field(default_factory=deque)
    ends: deque[float] = field(default_factory=deque)
    planned: bool = False
    """Whether the leg that ends next, as the carrier will tell, was let go of on purpose."""
    touched: float = 0.0
    asked: float | None = None
    """When the carrier asked what comes next, after the last claim."""


class MemoryStore:
    """`clock` gives seconds, monotonic."""

    shared = False

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._entries: dict[str, _Entry] = {}
        self.tools = MemoryJournal(self._holds)
        self.mailbox = MemoryMailbox(self._state, self._holds)

    async def standing(self, call_id: str, *, leg_ended: bool = False) -> Standing:
        entry = self._entries.get(call_id)
        if entry is None:
            if not leg_ended:
                return Standing(CallState.NEW)
            entry = self._entries[call_id] = _Entry(touched=self._clock())
        if leg_ended and not entry.planned:
            entry.ends.append(self._clock())
        if leg_ended:
            entry.planned, entry.asked = False, self._clock()
        legs = max(self._lately(entry.claims), self._lately(entry.ends))
        return Standing(entry.state, entry.fence, legs, entry.verdict)

    async def expect(self, record: CallRecord) -> None:
        self._purge()
        entry = self._entries.setdefault(record.call_id, _Entry())
        if entry.record is None and entry.state is CallState.NEW:
            entry.record, entry.touched = record, self._clock()

    async def claim(self, call_id: str, *, fence: int, claim_id: str, worker: str) -> Claim | None:
        entry = self._entries.get(call_id, _Entry())
        if entry.state is CallState.ENDED:
            return None
        if entry.claim_id != claim_id:
            if fence != entry.fence:
                return None
            self._entries[call_id] = entry
            entry.fence += 1
            entry.claim_id, entry.worker, entry.state = claim_id, worker, CallState.LIVE
            entry.touched, entry.asked = self._clock(), None
            self._lately(entry.claims)
            entry.claims.append(entry.touched)
        return Claim(call_id, entry.fence, claim_id, entry.record, entry.fence > 1)

    async def save(self, claim: Claim, record: CallRecord) -> Saved:
        return self._write(claim, record, CallState.LIVE)

    async def release(self, claim: Claim, record: CallRecord, *, planned: bool = False) -> Saved:
        entry = self._held(claim)
        if planned and entry is not None and entry.state is CallState.LIVE:
            entry.planned = True
            entry.claims.pop()
        return self._write(claim, record, CallState.WAITING)

    async def end(self, call_id: str, verdict: Verdict, *, claim: Claim | None = None) -> Saved:
        entry = self._entries.setdefault(call_id, _Entry())
        if entry.state is CallState.ENDED:
            return Saved.OK
        if claim is not None and entry.claim_id is not None and self._held(claim) is None:
            return Saved.FENCED
        entry.state, entry.verdict, entry.touched = CallState.ENDED, verdict, self._clock()
        entry.record = None
        self._forget(call_id)
        return Saved.OK

    async def look(self, call_id: str) -> CallRecord | None:
        entry = self._entries.get(call_id)
        return None if entry is None else entry.record

    async def calls(self) -> Sequence[CallSummary]:
        self._purge()
        return [
            CallSummary(call_id, record.carrier, entry.state, entry.worker, record.started_at)
            for call_id, entry in self._entries.items()
            if (record := entry.record) is not None and entry.state is not CallState.NEW
        ]

    def holding(self, call_id: str) -> Holding | None:
        """How the call is held; None where nobody knows it."""
        entry = self._entries.get(call_id)
        if entry is None:
            return None
        asked = None if entry.asked is None else self._clock() - entry.asked
        shown = entry.fence - 1 if entry.claim_id else None
        leased = self._clock() - entry.touched < LEASE and entry.state is CallState.LIVE
        carrier = "" if entry.record is None else entry.record.carrier
        owner = entry.worker
        return Holding(call_id, entry.state, entry.fence, owner, leased, shown, asked, carrier)

    async def close(self) -> None:
        """Nothing to let go of."""

    def _write(self, claim: Claim, record: CallRecord, state: CallState) -> Saved:
        entry = self._held(claim)
        if entry is None or entry.state is CallState.ENDED:
            return Saved.FENCED
        if entry.state is CallState.WAITING and state is CallState.LIVE:
            return Saved.FENCED  # whoever has released a call holds it no longer
        entry.record, entry.state, entry.touched = record, state, self._clock()
        return Saved.OK

    def _held(self, claim: Claim) -> _Entry | None:
        """The call, if this claim is its last."""
        entry = self._entries.get(claim.call_id)
        if entry is None or (entry.fence, entry.claim_id) != (claim.fence, claim.claim_id):
            return None
        return entry

    def _forget(self, call_id: str) -> None:
        self.tools.forget(call_id)
        self.mailbox.forget(call_id)

    def _state(self, call_id: str) -> CallState | None:
        entry = self._entries.get(call_id)
        return None if entry is None else entry.state

    def _holds(self, claim: Claim) -> bool | None:
        entry = self._entries.get(claim.call_id)
        if entry is None:
            return None
        return self._held(claim) is entry and entry.state is not CallState.ENDED

    def _lately(self, times: deque[float]) -> int:
        """How many of these are within the window; older ones are forgotten."""
        while times and times[0] < self._clock() - LOOP_WINDOW:
            times.popleft()
        return len(times)

    def _purge(self) -> None:
        now = self._clock()
        keep = {
            CallState.NEW: KEEP_WAITING,
            CallState.LIVE: KEEP_LIVE,
            CallState.WAITING: KEEP_WAITING,
            CallState.ENDED: KEEP_ENDED,
        }
        for call_id, entry in list(self._entries.items()):
            if now - entry.touched > keep[entry.state]:
                del self._entries[call_id]
                self._forget(call_id)
