"""
What every store promises, whatever it is made of.

Whoever stands behind the door inherits StoreContract and has a fixture `store`.
"""

from __future__ import annotations

import asyncio
import uuid
from collections.abc import Coroutine
from dataclasses import dataclass, field, replace
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from bridge.ports import leg
from bridge.ports.conversation import AgentSaid, CallerSaid, Note, ToolAsked, ToolUsed
from bridge.ports.session import RealtimeConfig, ToolDefinition, VadConfig
from bridge.ports.store import (
    CallRecord,
    CallState,
    CallStore,
    CallSummary,
    Claim,
    Cut,
    PendingChange,
    Saved,
    Standing,
)

__all__ = ["StoreContract"]

GOODBYE = leg.Hangup()
TRANSFER = leg.Transfer("+14155550100", "One moment.")

FULL = CallRecord(
    "",
    account_id="AC1",
    carrier="twilio",
    agent="baker",
    caller="+14155550111",
    called="sip:bakery@example.com",
    parameters={"lang": "de"},
    started_at=1_750_000_000.25,
    config=RealtimeConfig(
        instruction="You answer for a bakery.",
        voice="marin",
        turn_detection=VadConfig.semantic_vad("low"),
        tools=(ToolDefinition("hours", "When open.", {"type": "object"}),),
        extra={"audio": {"speed": 1.1}},
    ),
    resume_token="a token",
    history=(
        CallerSaid("Grüezi, sind Sie offen?"),
        ToolUsed("c1", "hours", '{"day": "today"}', '"seven to six"'),
        AgentSaid("From seven to six."),
        Note("Say nothing of the prices."),
    ),
    unanswered=(ToolAsked("c2", "order", '{"loaves": 2}', begun=True),),
    timeline=((0.5, "answered", "", None), (2.25, "tool_done", "hours answered", 0.125)),
    pending=PendingChange(RealtimeConfig(voice="ash"), "A new voice.", attempts=2),
    cut=Cut.CALLER,
)
"""A record with something in every field."""


def new_id() -> str:
    return f"CA{uuid.uuid4().hex}"


def record_of(call_id: str, number: int = 0) -> CallRecord:
    """One that can be told from others of the same call."""
    return CallRecord(call_id, carrier="twilio", started_at=float(number))


async def claimed(store: CallStore, call_id: str, worker: str = "w1") -> Claim:
    """The next claim, as a ticket would make it."""
    fence = (await store.standing(call_id)).fence
    claim = await store.claim(call_id, fence=fence, claim_id=uuid.uuid4().hex, worker=worker)
    assert claim is not None
    return claim


async def listed(store: CallStore, call_id: str) -> list[CallSummary]:
    return [call for call in await store.calls() if call.call_id == call_id]


class StoreContract:
    """The promises of `bridge.ports.store`."""

    # A call comes in

    async def test_a_call_that_nobody_knows(self, store: CallStore) -> None:
        """It is new. Asking does not make it known."""
        call_id = new_id()

        assert await store.standing(call_id) == Standing(CallState.NEW)
        assert await listed(store, call_id) == []

    async def test_a_call_that_is_expected(self, store: CallStore) -> None:
        """Nobody holds it yet, and whoever claims it knows what was known."""
        record = replace(FULL, call_id=new_id())

        await store.expect(record)

        assert (await store.standing(record.call_id)).state is CallState.NEW
        assert await listed(store, record.call_id) == []
        claim = await claimed(store, record.call_id)
        assert claim.record == record
        assert not claim.resumed

    async def test_expecting_twice_changes_nothing(self, store: CallStore) -> None:
        """Webhooks are delivered twice; what is known of the call stays."""
        call_id = new_id()
        await store.expect(record_of(call_id, 1))
        await store.expect(record_of(call_id, 2))
        claim = await claimed(store, call_id)
        await store.save(claim, record_of(call_id, 3))

        await store.expect(record_of(call_id, 4))

        assert claim.record == record_of(call_id, 1)
        assert (await store.standing(call_id)).state is CallState.LIVE
        assert (await claimed(store, call_id)).record == record_of(call_id, 3)

    # Claims

    async def test_a_call_that_the_store_has_lost_can_be_claimed(self, store: CallStore) -> None:
        """The caller is there all the same."""
        claim = await claimed(store, new_id())

        assert claim.record is None
        assert not claim.resumed

    async def test_a_ticket_works_once(self, store: CallStore) -> None:
        call_id = new_id()
        await store.expect(record_of(call_id))
        fence = (await store.standing(call_id)).fence
        await store.claim(call_id, fence=fence, claim_id="first", worker="w1")

        again = await store.claim(call_id, fence=fence, claim_id="second", worker="w2")

        assert again is None

    async def test_a_ticket_that_was_never_issued(self, store: CallStore) -> None:
        """And a refused claim leaves no trace."""
        call_id = new_id()
        fence = (await store.standing(call_id)).fence

        refused = await store.claim(call_id, fence=fence + 1, claim_id="c1", worker="w1")

        assert refused is None
        assert await store.standing(call_id) == Standing(CallState.NEW, fence)

    async def test_the_same_claim_twice_is_one(self, store: CallStore) -> None:
        """The answer to the first may have been lost on the way."""
        call_id = new_id()
        await store.expect(record_of(call_id))
        fence = (await store.standing(call_id)).fence

        first = await store.claim(call_id, fence=fence, claim_id="c1", worker="w1")
        second = await store.claim(call_id, fence=fence, claim_id="c1", worker="w1")

        assert first is not None
        assert second == first
        assert (await store.standing(call_id)).claims == 1
        assert await store.save(first, record_of(call_id)) is Saved.OK

    async def test_of_two_at_once_one_wins(self, store: CallStore) -> None:
        call_id = new_id()
        await store.expect(record_of(call_id))
        fence = (await store.standing(call_id)).fence

        claims = await asyncio.gather(
            *(
                store.claim(call_id, fence=fence, claim_id=f"c{number}", worker=f"w{number}")
                for number in range(10)
            )
        )

        [winner] = [claim for claim in claims if claim is not None]
        assert await store.save(winner, record_of(call_id)) is Saved.OK

    async def test_a_claim_takes_the_call_from_its_holder(self, store: CallStore) -> None:
        """It waits for nobody; the older holder is stopped by its next write."""
        call_id = new_id()
        older = await claimed(store, call_id, "w1")
        await store.save(older, record_of(call_id, 1))

        newer = await claimed(store, call_id, "w2")

        assert newer.fence > older.fence
        assert newer.resumed
        assert newer.record == record_of(call_id, 1)
        assert await store.save(older, record_of(call_id, 2)) is Saved.FENCED
        assert await store.release(older, record_of(call_id, 2)) is Saved.FENCED
        assert await store.end(call_id, GOODBYE, claim=older) is Saved.FENCED
        assert await store.save(newer, record_of(call_id, 3)) is Saved.OK
        assert (await store.standing(call_id)).state is CallState.LIVE

    async def test_reading_deletes_nothing(self, store: CallStore) -> None:
        """Whoever claims a call may die at once, and the next one needs the same."""
        record = replace(FULL, call_id=new_id())
        await store.release(await claimed(store, record.call_id), record)

        records = [(await claimed(store, record.call_id)).record for _ in range(3)]

        assert records == [record] * 3

    # Writes

    async def test_a_record_is_kept_as_it_is(self, store: CallStore) -> None:
        """Every field of it, and the newest one."""
        record = replace(FULL, call_id=new_id())
        claim = await claimed(store, record.call_id)
        await store.save(claim, record_of(record.call_id))

        saved = await store.save(claim, record)

        assert saved is Saved.OK
        assert (await claimed(store, record.call_id)).record == record

    async def test_a_call_without_its_leg_waits(self, store: CallStore) -> None:
        """With all that is known of it, for whoever claims it next."""
        call_id = new_id()
        claim = await claimed(store, call_id)

        released = await store.release(claim, record_of(call_id, 1))

        assert released is Saved.OK
        assert (await store.standing(call_id)).state is CallState.WAITING
        next_one = await claimed(store, call_id)
        assert next_one.record == record_of(call_id, 1)
        assert next_one.resumed
        assert (await store.standing(call_id)).state is CallState.LIVE

    async def test_releasing_twice_is_releasing_once(self, store: CallStore) -> None:
        call_id = new_id()
        claim = await claimed(store, call_id)
        await store.release(claim, record_of(call_id))

        assert await store.release(claim, record_of(call_id)) is Saved.OK
        assert (await store.standing(call_id)).state is CallState.WAITING

    async def test_whoever_has_released_a_call_holds_it_no_longer(self, store: CallStore) -> None:
        """A save that is late does not make it live again."""
        call_id = new_id()
        claim = await claimed(store, call_id)
        await store.release(claim, record_of(call_id, 1))

        assert await store.save(claim, record_of(call_id, 2)) is Saved.FENCED
        assert (await store.standing(call_id)).state is CallState.WAITING
        assert (await claimed(store, call_id)).record == record_of(call_id, 1)

    # The end

    @pytest.mark.parametrize("verdict", [GOODBYE, TRANSFER, leg.Hangup("We are sorry.")])
    async def test_a_call_that_is_over_stays_over(
        self, store: CallStore, verdict: leg.Verdict
    ) -> None:
        """It is remembered, so that nobody connects it again."""
        call_id = new_id()
        claim = await claimed(store, call_id)
        await store.save(claim, record_of(call_id))

        ended = await store.end(call_id, verdict, claim=claim)

        assert ended is Saved.OK
        standing = await store.standing(call_id)
        assert (standing.state, standing.verdict) == (CallState.ENDED, verdict)
        assert await store.save(claim, record_of(call_id)) is Saved.FENCED
        assert await store.release(claim, record_of(call_id)) is Saved.FENCED
        again = await store.claim(call_id, fence=standing.fence, claim_id="c9", worker="w1")
        assert again is None
        await store.expect(record_of(call_id))
        assert (await store.standing(call_id)).state is CallState.ENDED
        assert await listed(store, call_id) == []

    async def test_the_first_verdict_counts(self, store: CallStore) -> None:
        """A transfer is not undone by the carrier's news that the call is completed."""
        call_id = new_id()
        await store.end(call_id, TRANSFER, claim=await claimed(store, call_id))

        await store.end(call_id, GOODBYE)

        assert (await store.standing(call_id)).verdict == TRANSFER

    async def test_the_carrier_ends_a_call_that_somebody_holds(self, store: CallStore) -> None:
        """It knows best: without a claim the call ends whoever has it."""
        call_id = new_id()
        claim = await claimed(store, call_id)

        await store.end(call_id, GOODBYE)

        assert (await store.standing(call_id)).state is CallState.ENDED
        assert await store.save(claim, record_of(call_id)) is Saved.FENCED

    async def test_a_call_ends_that_nobody_knows(self, store: CallStore) -> None:
        """The news of its end may come before those of its beginning."""
        call_id = new_id()

        await store.end(call_id, GOODBYE)

        standing = await store.standing(call_id)
        assert standing.state is CallState.ENDED
        claim = await store.claim(call_id, fence=standing.fence, claim_id="c1", worker="w1")
        assert claim is None

    async def test_a_claim_that_is_made_again_after_the_end(self, store: CallStore) -> None:
        """It is one claim, and it is over with the call."""
        call_id = new_id()
        fence = (await store.standing(call_id)).fence
        await store.claim(call_id, fence=fence, claim_id="c1", worker="w1")
        await store.end(call_id, GOODBYE)

        assert await store.claim(call_id, fence=fence, claim_id="c1", worker="w1") is None

    # Loops

    async def test_legs_are_counted(self, store: CallStore) -> None:
        """A leg that claimed the call and ended is one; so is one that never got so far."""
        call_id = new_id()
        counts = []
        for _ in range(2):
            claim = await claimed(store, call_id)
            counts.append((await store.standing(call_id)).claims)
            await store.release(claim, record_of(call_id))
            counts.append((await store.standing(call_id, leg_ended=True)).claims)
        counts.append((await store.standing(call_id, leg_ended=True)).claims)
        counts.append((await store.standing(call_id)).claims)

        assert counts == [1, 1, 2, 2, 3, 3]

    async def test_legs_of_a_call_that_nobody_knows_are_counted(self, store: CallStore) -> None:
        """It may go round in circles before anybody could claim it."""
        call_id = new_id()

        counts = [(await store.standing(call_id, leg_ended=True)).claims for _ in range(3)]

        assert counts == [1, 2, 3]

    async def test_a_leg_that_was_let_go_of_on_purpose_is_none_of_a_loop(
        self, store: CallStore
    ) -> None:
        """However many workers a call passes through while all of them are replaced."""
        call_id = new_id()
        counts = []
        for _ in range(3):
            claim = await claimed(store, call_id)
            await store.release(claim, record_of(call_id), planned=True)
            await store.release(claim, record_of(call_id), planned=True)
            counts.append((await store.standing(call_id, leg_ended=True)).claims)
        claim = await claimed(store, call_id)
        await store.release(claim, record_of(call_id))
        counts.append((await store.standing(call_id, leg_ended=True)).claims)

        assert counts == [0, 0, 0, 1]

    # The operator

    async def test_a_call_can_be_looked_at(self, store: CallStore) -> None:
        """Without taking it; nothing is told of one that is over or was never there."""
        call_id = new_id()
        assert await store.look(call_id) is None
        claim = await claimed(store, call_id)
        record = replace(FULL, call_id=call_id)
        await store.save(claim, record)

        assert await store.look(call_id) == record
        assert await store.save(claim, record) is not Saved.FENCED
        await store.end(call_id, GOODBYE)
        assert await store.look(call_id) is None

    async def test_calls_in_progress(self, store: CallStore) -> None:
        """With their state and worker: those that live, and those that wait for a leg."""
        expected, live, waiting, ended = (new_id() for _ in range(4))
        for number, call_id in enumerate((expected, live, waiting, ended)):
            await store.expect(record_of(call_id, number))
        await claimed(store, live, "w1")
        claim = await claimed(store, waiting, "w2")
        await store.release(claim, record_of(waiting, 2))
        await claimed(store, ended)
        await store.end(ended, GOODBYE)

        found = {
            call.call_id: call
            for call in await store.calls()
            if call.call_id in {expected, live, waiting, ended}
        }

        assert found == {
            live: CallSummary(live, "twilio", CallState.LIVE, "w1", 1.0),
            waiting: CallSummary(waiting, "twilio", CallState.WAITING, "w2", 2.0),
        }

    # Anything

    @settings(
        max_examples=60,
        deadline=None,
        suppress_health_check=[
            HealthCheck.function_scoped_fixture,
            HealthCheck.differing_executors,
        ],
    )
    @given(
        st.lists(
            st.tuples(
                st.sampled_from(
                    ["expect", "claim", "claim", "again", "save", "save", "release", "end", "ended"]
                ),
                st.integers(0, 3),
            ),
            max_size=25,
        )
    )
    async def test_whoever_writes_in_whatever_order(
        self, store: CallStore, deeds: list[tuple[str, int]]
    ) -> None:
        """
        Workers that hold a call, have lost it, or come late with a write: only the last
        claim's writes count, fences rise, and the record is the last that was accepted.
        """
        play = Interleaving(store)
        for number, (deed, who) in enumerate(deeds):
            await play.do(deed, who, number)
            await play.check()


@dataclass
class Interleaving:
    """One call, what was done with it, and what has to come of that."""

    store: CallStore
    call_id: str = field(default_factory=new_id)
    claims: list[Claim] = field(default_factory=list)
    fences: list[int] = field(default_factory=list)
    """The fences that the claims named."""
    state: CallState = CallState.NEW
    record: CallRecord | None = None

    async def do(self, deed: str, who: int, number: int) -> None:
        record = record_of(self.call_id, number)
        claim = self.claims[-1 - who % len(self.claims)] if self.claims else None
        match deed:
            case "expect":
                await self.store.expect(record)
                if self.state is CallState.NEW and self.record is None:
                    self.record = record
            case "claim":
                await self._claim(back=who, claim_id=f"claim {number}")
            case "again" if claim is not None:
                await self._claim_again(claim)
            case "save" if claim is not None:
                ours = claim is self.claims[-1] and self.state is CallState.LIVE
                await self._write(self.store.save(claim, record), ours, CallState.LIVE, record)
            case "release" if claim is not None:
                ours = claim is self.claims[-1] and self.state is not CallState.ENDED
                write = self.store.release(claim, record)
                await self._write(write, ours, CallState.WAITING, record)
            case "end" if claim is not None and self.state is not CallState.ENDED:
                ours = claim is self.claims[-1]
                write = self.store.end(self.call_id, GOODBYE, claim=claim)
                await self._write(write, ours, CallState.ENDED, None)
            case "ended" if who == 0:
                await self.store.end(self.call_id, GOODBYE)
                self.state, self.record = CallState.ENDED, None
            case _:
                pass

    async def check(self) -> None:
        standing = await self.store.standing(self.call_id)
        assert standing.state is self.state
        assert standing.claims == len(self.claims)

    async def _claim(self, back: int, claim_id: str) -> None:
        """With the newest ticket, or with one that was used before."""
        newest = (await self.store.standing(self.call_id)).fence
        fence = self.fences[-back] if 0 < back <= len(self.fences) else newest
        claim = await self.store.claim(self.call_id, fence=fence, claim_id=claim_id, worker="w")
        if self.state is CallState.ENDED or fence != newest:
            assert claim is None
            return
        assert claim is not None
        assert claim.record == self.record
        assert claim.resumed is bool(self.claims)
        assert all(claim.fence > older.fence for older in self.claims)
        self.claims.append(claim)
        self.fences.append(fence)
        self.state = CallState.LIVE

    async def _claim_again(self, claim: Claim) -> None:
        fence = self.fences[self.claims.index(claim)]
        again = await self.store.claim(
            self.call_id, fence=fence, claim_id=claim.claim_id, worker="w"
        )
        if self.state is CallState.ENDED or claim is not self.claims[-1]:
            assert again is None
        else:
            assert again == replace(claim, record=self.record)

    async def _write(
        self,
        write: Coroutine[Any, Any, Saved],
        ours: bool,
        state: CallState,
        record: CallRecord | None,
    ) -> None:
        saved = await write
        assert saved is (Saved.OK if ours else Saved.FENCED)
        if ours:
            self.state, self.record = state, record
