"""The files of the journal: the newest claim's is what counts, and old ones go."""

from __future__ import annotations

import logging
import os
from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from bridge.ports import leg
from bridge.ports.conversation import CallerSaid
from bridge.ports.store import CallRecord, CallState
from bridge.store.entry import Entry
from bridge.store.sealing import Seal
from bridge.store.shelf import (
    KEPT,
    KEPT_ENDED,
    KEPT_HALF,
    LARGEST,
    MOST_FILES,
    SWEEPING,
    Shelf,
    name_of,
)

SEAL = Seal([b"a key of the operator's"])


class Shelves:
    """Those of several workers in one folder, with one clock."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.counted: Counter[str] = Counter()
        self.now = 1_750_000_000.0
        self._open: list[Shelf] = []

    def worker(self, seal: Seal = SEAL, most: int = MOST_FILES) -> Shelf:
        shelf = Shelf(self.path, seal, self._count, lambda: self.now, most=most)
        self._open.append(shelf)
        return shelf

    def files(self) -> list[str]:
        return sorted(file.name for file in self.path.iterdir())

    def aged(self, name: str, seconds: float) -> None:
        """The file was written so long ago."""
        os.utime(self.path / name, (self.now - seconds, self.now - seconds))

    def close(self) -> None:
        for shelf in self._open:
            shelf.close()

    def _count(self, outcome: str) -> None:
        self.counted[outcome] += 1


@pytest.fixture
def shelves(tmp_path: Path) -> Iterator[Shelves]:
    shelves = Shelves(tmp_path / "journal")
    yield shelves
    shelves.close()


def entry(fence: int, *said: str, claim_id: str = "c", call_id: str = "CA1") -> Entry:
    record = CallRecord(call_id, history=tuple(map(CallerSaid, said)))
    return Entry(call_id, fence, claim_id, CallState.LIVE, record)


def test_what_one_worker_wrote_another_reads(shelves: Shelves) -> None:
    """The newest of it, one file a call, whose name says nothing."""
    one, two = shelves.worker(), shelves.worker()
    one.write(entry(1, "Hello."))
    one.write(entry(1, "Hello.", "Well?"))

    assert two.newest("CA1") == entry(1, "Hello.", "Well?")
    assert two.newest("CA2") is None
    assert len(shelves.files()) == 1
    assert "CA1" not in shelves.files()[0]
    assert shelves.counted == {"written": 2}


def test_a_newer_claim_takes_the_place_of_older_ones(shelves: Shelves) -> None:
    one, two = shelves.worker(), shelves.worker()
    one.write(entry(1, "Hello.", claim_id="a"))
    one.write(Entry("CA1", record=CallRecord("CA1")))

    two.write(entry(2, "Hello.", claim_id="b"))

    assert shelves.files() == [name_of(entry(2, claim_id="b"))]


def test_a_holder_that_comes_late_changes_nothing(shelves: Shelves) -> None:
    """A worker that was frozen for a while, and whose call was claimed by another one."""
    late, newer = shelves.worker(), shelves.worker()
    late.write(entry(1, "Hello.", claim_id="a"))
    newer.write(entry(2, "Hello.", "Well?", claim_id="b"))

    late.write(entry(1, "Hello?", claim_id="a"))

    assert late.superseded(entry(1, claim_id="a"))
    assert not newer.superseded(entry(2, claim_id="b"))
    assert newer.newest("CA1") == entry(2, "Hello.", "Well?", claim_id="b")
    assert shelves.files() == [name_of(entry(2, claim_id="b"))]


def test_fences_are_compared_as_numbers(shelves: Shelves) -> None:
    shelf = shelves.worker()
    shelf.write(entry(9))
    shelf.write(entry(1_750_000_000_000))
    shelf.write(entry(10))

    assert shelf.newest("CA1") == entry(1_750_000_000_000)


def test_the_end_stands_above_all_claims(shelves: Shelves) -> None:
    """A holder that has not heard of it cannot write over it."""
    shelf = shelves.worker()
    ended = Entry("CA1", 1, "c", CallState.ENDED, verdict=leg.Hangup("Goodbye."))
    shelf.write(entry(1))
    shelf.write(ended)

    shelves.worker().write(entry(2, "Hello?"))

    assert shelf.newest("CA1") == ended
    assert shelf.superseded(entry(2, "Hello?"))


def test_a_ticket_is_used_once(shelves: Shelves) -> None:
    """Of two claims with the same one, the first has it; asked again, it still has it."""
    one, two = shelves.worker(), shelves.worker()

    taken = [
        one.take(entry(5, claim_id="a"), shown=4),
        two.take(entry(6, claim_id="b"), shown=4),
        one.take(entry(5, claim_id="a"), shown=4),
        two.take(entry(7, claim_id="b"), shown=5),
    ]

    assert taken == [True, False, True, True]
    assert two.newest("CA1") == entry(7, claim_id="b")


def test_forgetting(shelves: Shelves) -> None:
    """One claim, or all of a call, and nothing of another."""
    shelf, other = shelves.worker(), shelves.worker()
    shelf.take(entry(2, claim_id="b"), shown=1)
    other.write(entry(1, claim_id="a"))
    shelf.write(entry(1, call_id="CA2"))

    shelf.forget("CA1", "b")
    assert shelf.newest("CA1") == entry(1, claim_id="a")
    shelf.forget("CA1")
    assert shelves.files() == [name_of(entry(1, call_id="CA2"))]


def test_what_was_forgotten_may_be_written_again(shelves: Shelves) -> None:
    shelf = shelves.worker()
    shelf.write(entry(1))
    shelf.forget("CA1")

    shelf.write(entry(1, "Hello."))

    assert shelf.newest("CA1") == entry(1, "Hello.")


def test_what_cannot_be_opened_is_passed_over(shelves: Shelves) -> None:
    """What was written before it may be better than nothing."""
    shelf, stranger = shelves.worker(), shelves.worker(Seal([b"another key of theirs"]))
    stranger.write(entry(2, claim_id="b"))
    shelf.write(entry(1, "Hello.", claim_id="a"))

    assert shelf.newest("CA1") == entry(1, "Hello.", claim_id="a")
    assert shelves.counted["unreadable"] == 1


def test_old_files_go(shelves: Shelves) -> None:
    """Each kind in its time, when the journal is used."""
    shelf = shelves.worker()
    ended = Entry("CA2", 1, "c", CallState.ENDED, verdict=leg.Hangup())
    shelf.write(entry(1))
    shelf.write(ended)
    shelf.take(entry(9, call_id="CA3"), shown=8)
    (shelves.path / ".half").touch()
    live, [ticket] = name_of(entry(1)), [name for name in shelves.files() if "+" in name]
    for name, seconds in ((live, KEPT), (ticket, KEPT_ENDED), (".half", KEPT_HALF)):
        shelves.aged(name, seconds - 1)
    shelves.aged(name_of(ended), KEPT_ENDED - 1)

    shelf.sweep()
    assert len(shelves.files()) == 5

    for name in shelves.files():
        shelves.aged(name, KEPT_HALF + 1)
    shelf.sweep()
    assert ".half" not in shelves.files()

    for name in shelves.files():
        shelves.aged(name, KEPT_ENDED + 1)
    shelves.aged(live, KEPT + 1)
    shelves.now += SWEEPING + 1
    shelf.write(entry(1, call_id="CA4"))
    assert shelves.files() == sorted(
        [name_of(entry(9, call_id="CA3")), name_of(entry(1, call_id="CA4"))]
    )


def test_there_are_not_too_many(shelves: Shelves) -> None:
    """The oldest go."""
    shelf = shelves.worker(most=3)
    for number in range(5):
        shelf.write(entry(1, call_id=f"CA{number}"))
        shelves.aged(name_of(entry(1, call_id=f"CA{number}")), 10.0 - number)

    shelf.sweep()

    gone = [shelf.newest(f"CA{number}") is None for number in range(5)]
    assert gone == [True, True, False, False, False]


def test_a_call_that_is_too_large(shelves: Shelves) -> None:
    """It is not kept, and what was kept of it before is."""
    shelf = shelves.worker()
    shelf.write(entry(1, "Hello."))

    shelf.write(entry(1, "x" * LARGEST))

    assert shelf.newest("CA1") == entry(1, "Hello.")
    assert shelves.counted == {"written": 1, "failed": 1}


def test_whatever_fails_is_counted_and_said_now_and_then(
    shelves: Shelves, caplog: pytest.LogCaptureFixture
) -> None:
    """Nothing is raised, and nobody has to care; the log says nothing of the call."""
    shelves.path.write_bytes(b"a file where the folder should be")
    shelf = shelves.worker()

    with caplog.at_level(logging.DEBUG):
        for _ in range(5):
            shelf.write(entry(1, "Hello."))
        assert shelf.newest("CA1") is None
        assert shelf.take(entry(2), shown=1)
        assert not shelf.superseded(entry(1))
        shelf.forget("CA1")
        shelf.sweep()

    assert shelves.counted["failed"] >= 9
    assert shelves.counted["written"] == 0
    assert len(caplog.records) == 1
    assert "CA1" not in caplog.text
    assert str(shelves.path) not in caplog.text


def test_a_folder_that_vanishes(shelves: Shelves) -> None:
    """The next write brings it back."""
    shelf = shelves.worker()
    shelf.write(entry(1, "Hello."))
    for name in shelves.files():
        (shelves.path / name).unlink()
    shelves.path.rmdir()

    shelf.write(entry(1, "Hello.", "Well?"))

    assert shelf.newest("CA1") == entry(1, "Hello.", "Well?")


def test_a_record_that_cannot_be_written(shelves: Shelves) -> None:
    """It fails alone."""
    shelf = shelves.worker()
    odd = entry(1)
    assert odd.record is not None
    parameters: dict[str, str] = {"a": object()}  # type: ignore[dict-item]
    shelf.write(replace(odd, record=replace(odd.record, parameters=parameters)))

    assert shelves.counted["written"] == 0
    assert sum(shelves.counted.values()) == 1
