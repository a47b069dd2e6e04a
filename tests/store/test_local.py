"""The local journal works behind everybody's back, in order, and keeps nobody waiting."""

from __future__ import annotations

import asyncio
import os
import threading
import time
from collections import Counter
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import pytest

from bridge.ports.conversation import CallerSaid
from bridge.ports.store import CallRecord, CallState
from bridge.store.entry import Entry
from bridge.store.local import PATIENCE, LocalJournal, private_folder
from bridge.store.sealing import Seal

SEAL = Seal([b"a key of the operator's"])
CALL = CallRecord("CA1")


class Slow(Seal):
    """A seal that takes its time, as a disk may."""

    def __init__(self) -> None:
        super().__init__([b"a key of the operator's"])
        self.open_again = threading.Event()
        self.open_again.set()

    def seal(self, text: bytes, call_id: str, field: str) -> bytes:
        self.open_again.wait(5)
        return super().seal(text, call_id, field)


@pytest.fixture
def counted() -> Counter[str]:
    return Counter()


@pytest.fixture
def seal() -> Slow:
    return Slow()


@pytest.fixture
async def journal(tmp_path: Path, seal: Slow, counted: Counter[str]) -> AsyncIterator[LocalJournal]:
    def count(outcome: str) -> None:
        counted[outcome] += 1

    journal = LocalJournal(private_folder(tmp_path), seal, count=count)
    yield journal
    seal.open_again.set()
    await journal.close()


def entry(number: int, call_id: str = "CA1", fence: int = 1) -> Entry:
    record = CallRecord(call_id, history=(CallerSaid(f"{number}"),))
    return Entry(call_id, fence, "c", CallState.LIVE, record)


async def test_what_is_kept_is_found(journal: LocalJournal, tmp_path: Path) -> None:
    """At once by this worker, and as soon as it is settled by another one."""
    journal.keep(entry(1))
    assert await journal.newest("CA1") == entry(1)

    journal.keep(entry(2))
    await journal.settled()

    other = LocalJournal(private_folder(tmp_path), SEAL)
    assert await other.newest("CA1") == entry(2)
    await other.close()


async def test_the_newest_wins(journal: LocalJournal, seal: Slow, counted: Counter[str]) -> None:
    """Whatever comes while one write is under way is one write."""
    seal.open_again.clear()
    for number in range(100):
        journal.keep(entry(number))
        await asyncio.sleep(0)
    seal.open_again.set()

    assert await journal.newest("CA1") == entry(99)
    assert counted["written"] <= 2


async def test_calls_that_are_kept_in_one_moment(
    journal: LocalJournal, seal: Slow, counted: Counter[str]
) -> None:
    """Are written together, and each of them is there."""
    seal.open_again.clear()
    for number in range(20):
        journal.keep(entry(number, f"CA{number}"))
    seal.open_again.set()
    found = [await journal.newest(f"CA{number}") for number in range(20)]

    assert found == [entry(number, f"CA{number}") for number in range(20)]
    assert counted["written"] == 20


async def test_what_is_kept_after_something_was_forgotten(
    journal: LocalJournal, seal: Slow
) -> None:
    """Stays, though other things wait to be written, too."""
    seal.open_again.clear()
    journal.keep(entry(1, "CA1"))
    journal.keep(entry(1, "CA2"))
    journal.forget("CA3")
    journal.keep(entry(1, "CA3"))
    seal.open_again.set()

    assert await journal.newest("CA3") == entry(1, "CA3")


async def test_a_disk_that_hangs_keeps_nobody_waiting(
    journal: LocalJournal, seal: Slow, counted: Counter[str]
) -> None:
    """Keeping never waits; questions do for a moment, and are answered as if there were nothing."""
    journal.keep(entry(1))
    await journal.settled()
    seal.open_again.clear()
    began = time.monotonic()
    journal.keep(entry(2))
    kept = time.monotonic() - began
    answers: object = await asyncio.gather(
        journal.newest("CA1"),
        journal.take(entry(3, fence=5), shown=4),
        journal.superseded(entry(2)),
        journal.settled(),
    )
    waited = time.monotonic() - began

    assert answers == [None, True, False, None]
    assert kept < PATIENCE
    assert waited < PATIENCE + 1.0
    assert counted["failed"] == 4


async def test_what_waited_for_a_disk_is_written_when_it_is_back(
    journal: LocalJournal, seal: Slow
) -> None:
    seal.open_again.clear()
    for number in range(3):
        journal.keep(entry(number, "CA1"))
        journal.keep(entry(number, "CA2"))
    await journal.settled()
    seal.open_again.set()

    assert await journal.newest("CA1") == entry(2, "CA1")
    assert await journal.newest("CA2") == entry(2, "CA2")


async def test_things_happen_in_their_order(journal: LocalJournal) -> None:
    journal.keep(entry(1))
    journal.forget("CA1")
    assert await journal.newest("CA1") is None

    assert await journal.take(entry(2), shown=0)
    assert not await journal.take(replace(entry(3, fence=2), claim_id="d"), shown=0)
    assert await journal.superseded(entry(4, fence=0))
    assert await journal.newest("CA1") == entry(2)


async def test_old_files_are_swept(journal: LocalJournal, tmp_path: Path) -> None:
    """Also those that workers of long ago have left."""
    journal.keep(entry(1))
    await journal.settled()
    [file] = private_folder(tmp_path).iterdir()
    os.utime(file, (1_000, 1_000))

    journal.sweep()

    assert await journal.newest("CA1") is None


async def test_recoveries_are_counted(journal: LocalJournal, counted: Counter[str]) -> None:
    journal.recovered()

    assert counted["recovered"] == 1


async def test_without_a_folder_there_is_none() -> None:
    """Everybody is answered as if nothing were known."""
    journal = LocalJournal(None, SEAL)
    journal.sweep()
    journal.keep(entry(1))
    journal.forget("CA1")
    await journal.settled()

    assert await journal.newest("CA1") is None
    assert await journal.take(entry(1), shown=0)
    assert not await journal.superseded(entry(1))
    await journal.close()


async def test_closing_writes_what_waits(tmp_path: Path) -> None:
    """And afterwards nothing is done any more."""
    journal = LocalJournal(private_folder(tmp_path), SEAL)
    journal.keep(entry(1))
    await journal.close()
    journal.keep(entry(2))

    other = LocalJournal(private_folder(tmp_path), SEAL)
    assert await other.newest("CA1") == entry(1)
    assert await journal.newest("CA1") is None
    await other.close()


def test_every_user_has_a_folder() -> None:
    """So that two of them on one machine do not get into each other's way."""
    assert private_folder(Path("/d")) == Path(f"/d/bridge-journal-{os.geteuid()}")
