"""
A store that outlives its own absence on this machine: Redis, and the local journal beside it.

Whatever a holder saves goes into the journal first, however well the store is: a worker may die
right when the store does, before anybody has noticed. Where the store answers, it decides. Where
it does not, a call is claimed on this machine alone and by the same rules, with a fence above
those of the ticket and the journal, and not below the clock: so the store takes the record of
that claim when it is back, as after a failover.

What the store does not answer is a StoreError here, too, but for how a call stands and who
takes it: the journal may know that.
"""

from __future__ import annotations

import time
from collections import OrderedDict
from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress
from dataclasses import replace
from typing import Protocol

from bridge.errors import StoreError
from bridge.ports.leg import Verdict
from bridge.ports.store import (
    CallRecord,
    CallState,
    CallStore,
    CallSummary,
    Claim,
    Mailbox,
    Saved,
    Standing,
    StoredJournal,
)
from bridge.store.entry import Entry
from bridge.store.knowledge import Knowledge, merged, unstamped
from bridge.store.local import LocalJournal

__all__ = ["Primary", "ShelteredStore"]

LOOP_WINDOW = 30.0  # seconds over which claims are counted
UNHEARD = 3.0  # seconds without the store's word, after which a holder asks this machine first
MOST_HELD = 20_000  # claims that are remembered


class Primary(CallStore, Protocol):
    """The store of all workers, which may be away for a while."""

    async def catch_up(self, claim: Claim) -> CallRecord | None:
        """
        What was stored of a call before it was claimed, if the store did not answer then.
        Whoever asks sees to it that the records of this claim hold that, too.
        """


class ShelteredStore:
    """Behind the door CallStore. `wall` gives Unix time in seconds, `clock` monotonic ones."""

    def __init__(
        self,
        primary: Primary,
        shelter: LocalJournal,
        *,
        wall: Callable[[], float] = time.time,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._primary = primary
        self._shelter = shelter
        self._wall = wall
        self._clock = clock
        self._held: OrderedDict[str, Knowledge] = OrderedDict()

    @property
    def tools(self) -> StoredJournal:
        return self._primary.tools

    @property
    def mailbox(self) -> Mailbox:
        return self._primary.mailbox

    @property
    def shared(self) -> bool:
        return self._primary.shared

    async def standing(self, call_id: str, *, leg_ended: bool = False) -> Standing:
        try:
            standing = await self._primary.standing(call_id, leg_ended=leg_ended)
        except StoreError:
            entry = await self._shelter.newest(call_id)
            if entry is None:
                raise
            return self._as_kept(entry)
        if standing.state is CallState.ENDED:
            return standing
        entry = await self._shelter.newest(call_id)
        if entry is None or entry.fence < standing.fence:
            return standing
        if entry.state is CallState.ENDED:
            ender = Claim(call_id, entry.fence, entry.claim_id, None) if entry.claim_id else None
            await self._tell_the_end(entry, ender)
            return self._as_kept(entry)
        if entry.fence == standing.fence:
            return standing
        kept = self._as_kept(entry)  # the store has lost what this machine remembers
        return replace(kept, claims=max(kept.claims, standing.claims))

    async def expect(self, record: CallRecord) -> None:
        if await self._shelter.newest(record.call_id) is None:
            self._shelter.keep(Entry(record.call_id, record=record, whole=False))
        try:
            await self._primary.expect(record)
        except StoreError:
            await self._shelter.settled()  # the stream may come to another worker
            raise

    async def claim(self, call_id: str, *, fence: int, claim_id: str, worker: str) -> Claim | None:
        """As the door says. Raises no StoreError: the caller is there, and cannot wait."""
        try:
            claim = await self._primary.claim(
                call_id, fence=fence, claim_id=claim_id, worker=worker
            )
        except StoreError:
            return await self._claim_here(call_id, fence, claim_id)
        if claim is None:
            return None
        entry = await self._shelter.newest(call_id) or Entry(call_id)
        if entry.state is CallState.ENDED:
            await self._tell_the_end(entry, claim)
            return None
        record = merged(claim.record, entry)
        ours = entry.claim_id == claim_id
        if record is not claim.record and entry.fence and not ours:
            self._shelter.recovered()
        legs = entry.legs if ours else self._with_one_more(entry.legs)
        self._learn(claim_id, Knowledge(record, legs=legs))
        live = Entry(call_id, claim.fence, claim_id, CallState.LIVE, record, legs=legs)
        self._shelter.keep(live)
        resumed = claim.resumed or (entry.fence > 0 and not ours)
        return replace(claim, record=unstamped(record), resumed=resumed)

    async def save(self, claim: Claim, record: CallRecord) -> Saved:
        return await self._write(claim, record, CallState.LIVE, self._primary.save)

    async def release(self, claim: Claim, record: CallRecord, *, planned: bool = False) -> Saved:
        async def release(claim: Claim, record: CallRecord) -> Saved:
            # Whoever comes next may be asked for before the store has answered.
            await self._shelter.settled()
            return await self._primary.release(claim, record, planned=planned)

        if planned:
            held = self._knowledge(claim)
            held.legs = held.legs[:-1]
        try:
            return await self._write(claim, record, CallState.WAITING, release)
        finally:
            self._held.pop(claim.claim_id, None)

    async def end(self, call_id: str, verdict: Verdict, *, claim: Claim | None = None) -> Saved:
        if claim is not None:
            self._held.pop(claim.claim_id, None)
        try:
            saved = await self._primary.end(call_id, verdict, claim=claim)
        except StoreError:
            if await self._ended_here(call_id, verdict, claim):
                raise
            return Saved.FENCED
        if saved is not Saved.FENCED:
            self._shelter.forget(call_id)
        elif claim is not None:
            self._shelter.forget(call_id, claim.claim_id)
        return saved

    async def look(self, call_id: str) -> CallRecord | None:
        return unstamped(await self._primary.look(call_id))

    async def calls(self) -> Sequence[CallSummary]:
        return await self._primary.calls()

    async def close(self) -> None:
        await self._primary.close()
        await self._shelter.close()

    # Without the store

    def _as_kept(self, entry: Entry) -> Standing:
        legs = len(self._lately(entry.legs))
        return Standing(entry.state, entry.fence, legs, entry.verdict)

    async def _claim_here(self, call_id: str, fence: int, claim_id: str) -> Claim | None:
        """Take the call on this machine, as the store would as far as the machine knows it."""
        entry = await self._shelter.newest(call_id) or Entry(call_id, whole=False)
        if entry.state is CallState.ENDED:
            return None
        ours, resumed = entry.fence, fence > 0
        if entry.claim_id != claim_id:
            if entry.fence > fence:
                return None
            ours = max(fence + 1, round(self._wall() * 1000))
            legs = self._with_one_more(entry.legs)
            taken = replace(entry, fence=ours, claim_id=claim_id, state=CallState.LIVE, legs=legs)
            if not await self._shelter.take(taken, fence):
                return None
            self._learn(claim_id, Knowledge(entry.record, entry.whole, asked=False, legs=legs))
            if entry.record is not None and entry.fence:
                self._shelter.recovered()
        return Claim(call_id, ours, claim_id, unstamped(entry.record), resumed)

    async def _ended_here(self, call_id: str, verdict: Verdict, claim: Claim | None) -> bool:
        """Remember the end for whoever is asked; False where the call has a newer holder."""
        entry = await self._shelter.newest(call_id) or Entry(call_id)
        fence, claim_id = entry.fence, ""
        if claim is not None:
            if entry.fence > claim.fence:
                return False
            fence, claim_id = claim.fence, claim.claim_id
        if entry.state is not CallState.ENDED:
            ended = Entry(call_id, fence, claim_id, CallState.ENDED, verdict=verdict)
            self._shelter.keep(ended)
            await self._shelter.settled()
        return True

    async def _tell_the_end(self, entry: Entry, claim: Claim | None) -> None:
        """The store was away when the call ended, and whoever ended it may be gone by now."""
        if entry.verdict is not None:
            with suppress(StoreError):
                await self.end(entry.call_id, entry.verdict, claim=claim)

    # What is written

    async def _write(
        self,
        claim: Claim,
        record: CallRecord,
        state: CallState,
        write: Callable[[Claim, CallRecord], Awaitable[Saved]],
    ) -> Saved:
        held = self._knowledge(claim)
        entry = self._keep(claim, held, record, state)
        saved = Saved.FENCED
        try:
            if not await self._passed_over(held, entry):
                if not held.asked:
                    held.learn(await self._primary.catch_up(claim))
                    entry = self._keep(claim, held, record, state)
                assert entry.record is not None
                saved = await write(claim, entry.record)
                held.heard_at = self._clock()
        except StoreError:
            if not await self._shelter.superseded(entry):
                raise
        if saved is Saved.FENCED:
            self._shelter.forget(claim.call_id, claim.claim_id)
            self._held.pop(claim.claim_id, None)
        return saved

    async def _passed_over(self, held: Knowledge, entry: Entry) -> bool:
        """
        Whether a holder that has been still for a while, as a frozen process is, has lost the
        call on this machine meanwhile: the store may have been away then, and not know it.
        """
        return self._clock() - held.heard_at > UNHEARD and await self._shelter.superseded(entry)

    def _keep(self, claim: Claim, held: Knowledge, record: CallRecord, state: CallState) -> Entry:
        """Put it into the journal, unless that has it."""
        stamped = held.stamp(record, claim.fence)
        whose = (claim.call_id, claim.fence, claim.claim_id)
        entry = Entry(*whose, state, stamped, held.whole, legs=held.legs)
        if entry != held.kept:
            held.kept = entry
            self._shelter.keep(entry)
        return entry

    def _knowledge(self, claim: Claim) -> Knowledge:
        held = self._held.get(claim.claim_id)
        return held or self._learn(claim.claim_id, Knowledge(claim.record, asked=False))

    def _learn(self, claim_id: str, known: Knowledge) -> Knowledge:
        """Remember what a claim's holder is told. The same claim twice is one."""
        known = self._held.setdefault(claim_id, known)
        self._held.move_to_end(claim_id)
        if len(self._held) > MOST_HELD:
            self._held.popitem(last=False)
        return known

    def _with_one_more(self, legs: Sequence[float]) -> tuple[float, ...]:
        return (*self._lately(legs), self._wall())

    def _lately(self, legs: Sequence[float]) -> tuple[float, ...]:
        return tuple(at for at in legs if at > self._wall() - LOOP_WINDOW)
