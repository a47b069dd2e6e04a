"""The journal of one call's tools, as its runner knows it."""

from __future__ import annotations

import asyncio

import pytest

from bridge.errors import StoreError
from bridge.ports.tools import Found, ToolState
from bridge.store.memory import MemoryStore
from bridge.telemetry.metrics import Metrics
from bridge.wiring.journal import CallJournal
from tests.store.contract import claimed

NEW = Found(ToolState.NEW)


class Bench:
    """A call's journal in memory; `flushes` is how often the record was stored."""

    def __init__(self) -> None:
        self.store = MemoryStore(asyncio.get_running_loop().time)
        self.metrics = Metrics()
        self.journal = CallJournal(self.store.tools, self.metrics)
        self.flushes = 0
        self.down = False

    async def flush(self) -> None:
        self.flushes += 1
        if self.down:
            raise StoreError("the store is down")

    def counted(self, operation: str, outcome: str) -> bool:
        page = self.metrics.render()[0].decode()
        labels = f'{{operation="{operation}",outcome="{outcome}"}}'
        return f"bridge_store_operations_total{labels} 1.0" in page


async def test_what_one_holder_writes_the_next_one_reads() -> None:
    bench = Bench()
    bench.journal.held(await claimed(bench.store, "CA1"))
    assert await bench.journal.begin("t1") == NEW
    await bench.journal.done("t1", b"booked")

    later = CallJournal(bench.store.tools, bench.metrics)
    later.held(await claimed(bench.store, "CA1"))

    assert await later.begin("t1") == Found(ToolState.DONE, b"booked")
    assert await bench.journal.begin("t2") == Found(ToolState.FENCED)


async def test_the_record_is_stored_before_a_tool_is_begun() -> None:
    """Else nobody would know what to ask the journal for."""
    bench = Bench()
    bench.journal.held(await claimed(bench.store, "CA1"))
    bench.journal.kept(bench.flush)
    await bench.journal.begin("t1")
    await bench.journal.done("t1", b"booked")

    assert bench.flushes == 1
    assert bench.counted("tool_begin", "ok")
    assert bench.counted("tool_done", "ok")


async def test_nobody_stores_the_record_of_a_call_that_was_let_go_of() -> None:
    """A tool that does not stop is still told what is known."""
    bench = Bench()
    bench.journal.held(await claimed(bench.store, "CA1"))
    bench.journal.kept(bench.flush)
    bench.journal.kept(None)

    assert await bench.journal.begin("t1") == NEW
    assert bench.flushes == 0


async def test_a_record_that_cannot_be_stored_is_no_beginning() -> None:
    """And it is counted that the tool runs without."""
    bench = Bench()
    bench.down = True
    bench.journal.held(await claimed(bench.store, "CA1"))
    bench.journal.kept(bench.flush)

    with pytest.raises(StoreError):
        await bench.journal.begin("t1")
    assert bench.counted("tool_begin", "failed")


async def test_a_call_that_nobody_holds_has_no_journal_yet() -> None:
    """Its model is dialled before its leg is there."""
    bench = Bench()

    assert await bench.journal.begin("t1") == NEW
    await bench.journal.done("t1", b"booked")
