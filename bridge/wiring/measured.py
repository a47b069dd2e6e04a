"""
A store that is measured: what it was asked, how long that took, and what came of it.

That it fails is said now and then, with how often it did, and once when it is back. Whoever
asks goes on without it and need not say so again.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable, Sequence
from typing import TypeVar

from bridge.errors import StoreError
from bridge.ports.leg import Verdict
from bridge.ports.store import (
    CallRecord,
    CallSummary,
    Claim,
    Mailbox,
    Saved,
    Standing,
    StoredJournal,
)
from bridge.store.redis.refusals import Unanswered, WritesRefused
from bridge.store.sheltered import Primary
from bridge.telemetry.metrics import Metrics
from bridge.telemetry.seldom import Seldom

__all__ = ["MeasuredStore"]

WRITING = ("expect", "save", "release", "end")

_T = TypeVar("_T")
_log = logging.getLogger(__name__)


class MeasuredStore:
    """Behind the doors that `store` is behind. `clock` gives seconds, monotonic."""

    def __init__(
        self, store: Primary, metrics: Metrics, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._store = store
        self._metrics = metrics
        self._clock = clock
        self._trouble = Seldom(clock)
        self._failing_since: float | None = None

    @property
    def tools(self) -> StoredJournal:
        return self._store.tools

    @property
    def mailbox(self) -> Mailbox:
        return self._store.mailbox

    @property
    def shared(self) -> bool:
        return self._store.shared

    async def standing(self, call_id: str, *, leg_ended: bool = False) -> Standing:
        return await self._measured(
            "standing", self._store.standing(call_id, leg_ended=leg_ended), _well
        )

    async def expect(self, record: CallRecord) -> None:
        await self._measured("expect", self._store.expect(record), _well)

    async def claim(self, call_id: str, *, fence: int, claim_id: str, worker: str) -> Claim | None:
        claim = self._store.claim(call_id, fence=fence, claim_id=claim_id, worker=worker)
        return await self._measured("claim", claim, _claimed)

    async def catch_up(self, claim: Claim) -> CallRecord | None:
        return await self._measured("catch_up", self._store.catch_up(claim), _well)

    async def save(self, claim: Claim, record: CallRecord) -> Saved:
        return await self._measured("save", self._store.save(claim, record), _saved)

    async def release(self, claim: Claim, record: CallRecord, *, planned: bool = False) -> Saved:
        release = self._store.release(claim, record, planned=planned)
        return await self._measured("release", release, _saved)

    async def end(self, call_id: str, verdict: Verdict, *, claim: Claim | None = None) -> Saved:
        return await self._measured("end", self._store.end(call_id, verdict, claim=claim), _saved)

    async def look(self, call_id: str) -> CallRecord | None:
        return await self._measured("look", self._store.look(call_id), _well)

    async def calls(self) -> Sequence[CallSummary]:
        return await self._measured("calls", self._store.calls(), _well)

    async def close(self) -> None:
        await self._store.close()

    async def _measured(
        self, operation: str, asked: Awaitable[_T], outcome_of: Callable[[_T], str]
    ) -> _T:
        began = self._clock()
        outcome = "fault"
        try:
            answer = await asked
            outcome = outcome_of(answer)
        except StoreError as exc:
            outcome = _failure(exc)
            self._failed(operation, exc)
            raise
        except asyncio.CancelledError:
            outcome = "given_up"  # by whoever asked
            raise
        finally:
            self._metrics.store_used(operation, outcome, self._clock() - began)
        self._answered(operation)
        return answer

    def _failed(self, operation: str, error: StoreError) -> None:
        if self._failing_since is None:
            self._failing_since = self._clock()
        if times := self._trouble.again():
            _log.warning(
                "the store does not answer, and calls go on without it (%s: %s; %d times)",
                operation,
                error,
                times,
            )

    def _answered(self, operation: str) -> None:
        if self._failing_since is None or operation not in WRITING:
            return  # what only reads is answered by a store, too, that takes nothing in
        seconds = self._clock() - self._failing_since
        self._failing_since = None
        _log.warning("the store answers again, after %.1f s", seconds)


def _well(_: object) -> str:
    return "ok"


def _claimed(claim: Claim | None) -> str:
    return "refused" if claim is None else "ok"


def _saved(saved: Saved) -> str:
    return "fenced" if saved is Saved.FENCED else "ok"


def _failure(error: StoreError) -> str:
    match error:
        case WritesRefused():
            return "read_only"
        case Unanswered():
            return "timeout"
        case _:
            return "unavailable"
