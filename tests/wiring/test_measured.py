"""A store is measured, and its absence is said now and then instead of each time."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Coroutine
from typing import Any, TypeVar

import pytest
from prometheus_client.parser import text_string_to_metric_families

from bridge.errors import StoreError
from bridge.ports import leg
from bridge.ports.store import CallRecord, Claim, Saved
from bridge.store.memory import MemoryStore
from bridge.store.redis.connection import Unanswered, WritesRefused
from bridge.telemetry.metrics import Metrics
from bridge.telemetry.seldom import SECONDS
from bridge.wiring.measured import MeasuredStore

_T = TypeVar("_T")


class SlowStore(MemoryStore):
    """Takes a second for a save, or fails after it."""

    def __init__(self, watch: Watch) -> None:
        super().__init__(lambda: watch.now)
        self._watch = watch
        self.failure: StoreError | None = None
        self.hangs = False

    async def catch_up(self, claim: Claim) -> CallRecord | None:
        return None

    async def expect(self, record: CallRecord) -> None:
        await self._slow(super().expect(record))

    async def save(self, claim: Claim, record: CallRecord) -> Saved:
        return await self._slow(super().save(claim, record))

    async def _slow(self, asked: Coroutine[Any, Any, _T]) -> _T:
        answer = await asked
        self._watch.now += 1.0
        if self.hangs:
            await asyncio.Event().wait()
        if self.failure is not None:
            raise self.failure
        return answer


class Watch:
    """A measured store, and the time."""

    def __init__(self) -> None:
        self.now = 100.0
        self.metrics = Metrics()
        self.inner = SlowStore(self)
        self.store = MeasuredStore(self.inner, self.metrics, lambda: self.now)

    def counted(self) -> dict[tuple[str, str], float]:
        return {
            (sample.labels["operation"], sample.labels["outcome"]): sample.value
            for family in self._families()
            for sample in family.samples
            if sample.name == "bridge_store_operations_total"
        }

    def seconds(self, operation: str) -> float:
        [found] = [
            sample.value
            for family in self._families()
            for sample in family.samples
            if sample.name == "bridge_store_seconds_sum" and sample.labels["operation"] == operation
        ]
        return float(found)

    def _families(self) -> Any:
        return text_string_to_metric_families(self.metrics.render()[0].decode())


@pytest.fixture
def watch() -> Watch:
    return Watch()


async def test_every_operation_is_counted(watch: Watch) -> None:
    """With what came of it."""
    store = watch.store
    await store.expect(CallRecord("CA1"))
    await store.standing("CA1")
    claim = await store.claim("CA1", fence=0, claim_id="c", worker="w")
    assert claim is not None
    assert await store.claim("CA1", fence=0, claim_id="d", worker="w") is None
    await store.catch_up(claim)
    await store.save(claim, CallRecord("CA1"))
    await store.calls()
    await store.release(claim, CallRecord("CA1"))
    await store.save(claim, CallRecord("CA1"))
    await store.end("CA1", leg.Hangup(), claim=claim)
    await store.close()

    assert watch.counted() == {
        ("expect", "ok"): 1,
        ("standing", "ok"): 1,
        ("claim", "ok"): 1,
        ("claim", "refused"): 1,
        ("catch_up", "ok"): 1,
        ("save", "ok"): 1,
        ("calls", "ok"): 1,
        ("release", "ok"): 1,
        ("save", "fenced"): 1,
        ("end", "ok"): 1,
    }
    assert watch.seconds("save") == 2.0


async def test_what_stands_behind_it_is_reached_through_it(watch: Watch) -> None:
    assert watch.store.tools is watch.inner.tools
    assert watch.store.mailbox is watch.inner.mailbox
    assert watch.store.shared is watch.inner.shared


@pytest.mark.parametrize(
    ("failure", "outcome"),
    [
        (StoreError("gone"), "unavailable"),
        (Unanswered("slow"), "timeout"),
        (WritesRefused("full"), "read_only"),
    ],
)
async def test_failures_are_told_apart(watch: Watch, failure: StoreError, outcome: str) -> None:
    """They are raised all the same, and their time is measured."""
    watch.inner.failure = failure

    with pytest.raises(type(failure)):
        await watch.store.expect(CallRecord("CA1"))

    assert watch.counted() == {("expect", outcome): 1}
    assert watch.seconds("expect") == 1.0


async def test_whoever_does_not_wait_for_an_answer(watch: Watch) -> None:
    watch.inner.hangs = True

    with pytest.raises(TimeoutError):
        async with asyncio.timeout(0.01):
            await watch.store.expect(CallRecord("CA1"))

    assert watch.counted() == {("expect", "given_up"): 1}


async def test_trouble_is_said_now_and_then_and_its_end_once(
    watch: Watch, caplog: pytest.LogCaptureFixture
) -> None:
    """With how often it was, and how long it lasted; a store that is just read is not back."""
    caplog.set_level(logging.DEBUG)
    watch.inner.failure = WritesRefused("Redis refuses to write (OOM)")
    for _ in range(3 * int(SECONDS)):
        with pytest.raises(StoreError):
            await watch.store.expect(CallRecord("CA1"))
    await watch.store.standing("CA1")
    watch.inner.failure = None
    for _ in range(3):
        await watch.store.expect(CallRecord("CA1"))

    told = [record.getMessage() for record in caplog.records]
    assert len(told) == 4
    assert "expect: Redis refuses to write (OOM); 1 times" in told[0]
    assert "; 30 times" in told[1]
    assert told[3] == "the store answers again, after 90.0 s"
