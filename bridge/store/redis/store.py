"""
The store in Redis, for several workers.

Rule: a worker that holds a call remembers what it has stored, and so writes only what has
changed; when Redis has lost it, the worker puts back the whole. Redis is asked to do each
thing in one script, in bounded time, and what it does not answer is a StoreError.
"""

from __future__ import annotations

import itertools
import logging
import time
from collections import OrderedDict
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any, Self

from bridge.errors import StoreError
from bridge.ports.leg import Verdict
from bridge.ports.store import CallRecord, CallState, CallSummary, Claim, Saved, Standing
from bridge.store.redis import condition, scripts
from bridge.store.redis.address import read_address
from bridge.store.redis.cluster import Command
from bridge.store.redis.condition import Condition
from bridge.store.redis.connection import Connection, WritesRefused
from bridge.store.redis.index import CallIndex
from bridge.store.redis.journal import RedisJournal
from bridge.store.redis.keys import Keys, Times, ms
from bridge.store.redis.mailbox import RedisMailbox
from bridge.store.redis.mapping import Kept, Sealed, first_number, joined, pairs
from bridge.store.sealing import Seal

__all__ = ["RedisStore"]

LIST_SECONDS = 2.0
LEAST_SECONDS = 0.1  # for writing the whole record after a change was not enough
MOST_HELD = 20_000  # calls whose stored record is remembered
MOST_OWED = 1_000  # ends that could not be stored yet

HANDED = "handed"  # to the script: waiting, and let go of on purpose
_SHOWN = ("state", "carrier", "owner", "started", "known")
_log = logging.getLogger(__name__)


@dataclass(slots=True)
class _Held:
    """What this worker knows of a claim of its own."""

    worker: str = ""
    kept: Kept | None = None
    """None: the next write has to be the whole record."""
    read: bool = False
    """Whether its holder was told what is stored of the call. If not, that is added later."""
    missed: CallRecord | None = None
    """What was stored of the call, and its holder was not told."""
    listed_at: float = float("-inf")
    """When the list of calls was last told of it, Unix time."""


@dataclass(frozen=True, slots=True)
class _Owed:
    """An end that could not be stored yet."""

    verdict: Verdict
    claim: Claim | None


class RedisStore:
    """
    Behind the door CallStore. `wall` gives Unix time in seconds.
    """

    shared = True

    def __init__(
        self,
        connection: Connection,
        seal: Seal,
        *,
        times: Times | None = None,
        wall: Callable[[], float] = time.time,
    ) -> None:
        self._connection = connection
        self._sealed = Sealed(seal)
        self._times = times or Times()
        self._wall = wall
        self._index = CallIndex(connection, wall, self._times.kept)
        self._numbers = itertools.count(1)
        self._held: OrderedDict[str, _Held] = OrderedDict()
        self._owed: OrderedDict[str, _Owed] = OrderedDict()
        self.mailbox = RedisMailbox(connection, self._sealed, self._times)
        self.tools = RedisJournal(connection, self._sealed, self._times)

    @classmethod
    def at(cls, url: str, seal: Seal, **options: Any) -> Self:
        """A store at REDIS_URL, inside a running loop. Raises ConfigError; connects later."""
        return cls(Connection(read_address(url)), seal, **options)

    async def standing(self, call_id: str, *, leg_ended: bool = False) -> Standing:
        if (verdict := await self._settle(call_id)) is not None:
            return Standing(CallState.ENDED, verdict=verdict)
        keys = Keys.of(call_id)
        rest = (ms(self._times.window), ms(self._times.kept))
        try:
            answer = await self._run(scripts.STANDING, (keys.call,), (int(leg_ended), *rest))
        except WritesRefused:
            answer = await self._run(scripts.STANDING, (keys.call,), (0, *rest))
        state, fence, legs, verdict = answer
        return Standing(_state(state), int(fence), int(legs), self._verdict(call_id, verdict))

    async def expect(self, record: CallRecord) -> None:
        fields = (*_shown(record), *self._sealed.fields(record))
        await self._run(
            scripts.EXPECT,
            Keys.of(record.call_id).claimed,
            (
                *(ms(self._times.kept), len(fields) // 2, *fields),
                *self._sealed.items(record, 0, None),
            ),
        )
        self._index.add(record.call_id)

    async def claim(self, call_id: str, *, fence: int, claim_id: str, worker: str) -> Claim | None:
        if await self._settle(call_id) is not None:
            return None
        held = self._hold(claim_id)
        held.worker = worker
        try:
            given, call, log = await self._take(call_id, fence, claim_id, worker)
        except WritesRefused:
            given, call, log = await self._look(call_id, fence)
        if not given:
            self._held.pop(claim_id, None)
            return None
        held.read = True
        record = self._sealed.read(call_id, call, log)
        # A leg of a call that was lost before: it has been held, though nobody knows by whom.
        lost = b"lost" in call[::2]
        return Claim(call_id, given, claim_id, record, resumed=fence > 0 or lost)

    async def save(self, claim: Claim, record: CallRecord) -> Saved:
        return await self._write(claim, record, CallState.LIVE)

    async def release(self, claim: Claim, record: CallRecord, *, planned: bool = False) -> Saved:
        return await self._write(claim, record, HANDED if planned else CallState.WAITING)

    async def end(self, call_id: str, verdict: Verdict, *, claim: Claim | None = None) -> Saved:
        if claim is not None:
            self._held.pop(claim.claim_id, None)
        try:
            return await self._end(call_id, verdict, claim)
        except StoreError:
            # The carrier is about to ask what comes next, and perhaps it asks this worker.
            self._owed.setdefault(call_id, _Owed(verdict, claim))
            if len(self._owed) > MOST_OWED:
                self._owed.popitem(last=False)
            raise

    async def look(self, call_id: str) -> CallRecord | None:
        call, log = await self._run(scripts.LOOK, Keys.of(call_id).claimed, ())
        return self._sealed.read(call_id, call, log)

    async def calls(self) -> Sequence[CallSummary]:
        listed = await self._index.calls()
        asked: list[Command] = [("HMGET", Keys.of(call_id).call, *_SHOWN) for call_id in listed]
        answers = await self._connection.ask_all(asked, LIST_SECONDS) if asked else []
        return [
            CallSummary(call_id, carrier.decode(), _state(state), worker.decode(), float(started))
            for call_id, found in zip(listed, answers, strict=True)
            if None not in found and found[0] in (b"live", b"waiting")
            for state, carrier, worker, started, _ in [found]
        ]

    async def condition(self) -> Condition:
        """How Redis is, and what an operator might mend about it."""
        return await condition.examine(self._connection)

    async def catch_up(self, claim: Claim) -> CallRecord | None:
        """What was stored before this claim, which Redis did not answer. Its holder adds it."""
        held = self._hold(claim.claim_id)
        if not held.read:
            await self._catch_up(claim, held)
        missed, held.missed = held.missed, None
        return missed

    async def close(self) -> None:
        await self._index.close()
        await self._connection.close()

    async def _take(
        self, call_id: str, fence: int, claim_id: str, worker: str
    ) -> tuple[int, Sequence[bytes], Sequence[bytes]]:
        """The fence (0: the call is not to be had), and what is stored of the call."""
        keys, times = Keys.of(call_id), self._times
        ticket = (fence, claim_id, worker, ms(self._wall()))
        spans = (ms(times.lease), ms(times.kept), ms(times.window))
        ask = partial(self._connection.run, scripts.CLAIM, keys.claimed, (*ticket, *spans))
        try:
            answer = await ask(times.claim)
        except StoreError:
            answer = await ask(times.claim_again)
        return (int(answer[1]), *answer[2:]) if answer[0] == b"OK" else (0, (), ())

    async def _look(self, call_id: str, fence: int) -> tuple[int, Sequence[bytes], Sequence[bytes]]:
        """As `_take`, where Redis takes nothing in: it is read, and our clock has to do."""
        call, log = await self._run(scripts.LOOK, Keys.of(call_id).claimed, ())
        fields = dict(pairs(call))
        stored = int(fields.get(b"fence", 0))
        gone = fields.get(b"state") == b"ended" or stored > fence
        return 0 if gone else max(fence + 1, ms(self._wall())), call, log

    async def _write(self, claim: Claim, record: CallRecord, state: str) -> Saved:
        held = self._hold(claim.claim_id)
        if not held.read:
            await self._catch_up(claim, held)
        if held.missed is not None:
            record = joined(held.missed, record)
        began = time.monotonic()
        answer = await self._send(claim, record, state, held, self._times.answer)
        if answer[0] == b"MISSING":
            held.kept = None
            left = self._times.answer - (time.monotonic() - began)
            answer = await self._send(claim, record, state, held, max(left, LEAST_SECONDS))
        lost = answer[0] in (b"FENCED", b"ENDED")
        if lost or state != CallState.LIVE:
            self._held.pop(claim.claim_id, None)
        if lost:
            return Saved.FENCED
        return Saved.MAIL if answer[1] else Saved.OK

    async def _catch_up(self, claim: Claim, held: _Held) -> None:
        """The call was taken while Redis did not answer: what it knew must not be lost."""
        call, log = await self._run(scripts.LOOK, Keys.of(claim.call_id).claimed, ())
        fields = dict(pairs(call))
        ours = fields.get(b"claim") == claim.claim_id.encode()
        if not (ours and fields.get(b"seq") != b"0"):
            try:
                held.missed = self._sealed.read(claim.call_id, call, log)
            except StoreError as exc:
                _log.warning("what was stored of a call is lost: %s", exc)
        held.read = True

    async def _send(
        self, claim: Claim, record: CallRecord, state: str, held: _Held, within: float
    ) -> Any:
        """Write what has changed, or all of it. What was written is known only on an answer."""
        keys, times, kept = Keys.of(claim.call_id), self._times, held.kept
        number = next(self._numbers)
        first = first_number(record.history, kept)
        fields = self._sealed.fields(record, kept.record if kept else None)
        if kept is None:
            fields += _shown(record)
        answer = await self._connection.run(
            scripts.SAVE,
            (keys.call, keys.log, keys.mail),
            (
                *(claim.fence, claim.claim_id, held.worker),
                *(number, kept.number if kept else "", state, ms(times.lease), ms(times.kept)),
                *(first, len(record.history), len(fields) // 2, *fields),
                *self._sealed.items(record, first, kept),
            ),
            within,
        )
        if answer[0] == b"OK":
            held.kept = Kept(number, record, first)
            self._list(claim.call_id, held, anew=kept is None)
        return answer

    async def _end(self, call_id: str, verdict: Verdict, claim: Claim | None) -> Saved:
        keys = Keys.of(call_id)
        holder = ("", "") if claim is None else (claim.fence, claim.claim_id)
        sealed = self._sealed.verdict(call_id, verdict)
        answer = await self._run(
            scripts.END,
            (keys.call, keys.log, keys.mail, keys.seen, keys.tools),
            (*holder, sealed, ms(self._times.kept)),
        )
        if answer[0] == b"FENCED":
            return Saved.FENCED
        self._index.remove(call_id)
        return Saved.OK

    async def _settle(self, call_id: str) -> Verdict | None:
        """The verdict on a call whose end we could not store: it has ended all the same."""
        owed = self._owed.get(call_id)
        if owed is None:
            return None
        try:
            saved = await self._end(call_id, owed.verdict, owed.claim)
        except StoreError:
            return owed.verdict
        self._owed.pop(call_id, None)
        return owed.verdict if saved is Saved.OK else None

    def _list(self, call_id: str, held: _Held, *, anew: bool) -> None:
        """See to it that the list of calls has this one, for as long as it is written."""
        now = self._wall()
        if anew or now - held.listed_at > self._times.kept / 4:
            held.listed_at = now
            self._index.add(call_id)

    async def _run(
        self, script: scripts.Script, keys: Sequence[str], args: Sequence[str | bytes | int]
    ) -> Any:
        return await self._connection.run(script, keys, args, self._times.answer)

    def _hold(self, claim_id: str) -> _Held:
        held = self._held.setdefault(claim_id, _Held())
        self._held.move_to_end(claim_id)
        if len(self._held) > MOST_HELD:
            self._held.popitem(last=False)
        return held

    def _verdict(self, call_id: str, sealed: bytes) -> Verdict | None:
        if not sealed:
            return None
        try:
            return self._sealed.read_verdict(call_id, sealed)
        except StoreError as exc:
            _log.warning("a call has ended, but nobody can read how: %s", exc)
            return None


def _shown(record: CallRecord) -> list[str | bytes]:
    """What the operator's list shows, readable without a key."""
    return ["carrier", record.carrier, "started", str(record.started_at)]


def _state(word: bytes) -> CallState:
    try:
        return CallState(word.decode())
    except ValueError:
        raise StoreError("a call stands in a way that this version does not know") from None
