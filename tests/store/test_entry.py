"""Entries of the journal are read as they were written, and by nobody else."""

from __future__ import annotations

from dataclasses import replace

import pytest

from bridge.errors import StoreError
from bridge.ports import leg
from bridge.ports.conversation import AgentSaid, CallerSaid, HistoryItem
from bridge.ports.session import RealtimeConfig
from bridge.ports.store import CallRecord, CallState
from bridge.store.entry import FIELD, Entry, Lines, read_entry, write_entry
from bridge.store.sealing import Seal
from tests.store.contract import FULL

SEAL = Seal([b"a key of the operator's"])
RECORD = replace(FULL, call_id="CA1", written=(1_750_000_000_000, 7))
ENTRY = Entry("CA1", 1_750_000_000_001, "c1", CallState.LIVE, RECORD, whole=False, legs=(1.5, 2.5))
OTHERS = [
    Entry("CA1"),
    Entry("CA1", record=CallRecord("CA1")),
    Entry("CA1", 3, "c2", CallState.ENDED, verdict=leg.Transfer("+14155550100", "One moment.")),
]


@pytest.mark.parametrize("entry", [ENTRY, *OTHERS])
def test_an_entry_is_read_as_it_was(entry: Entry) -> None:
    """With something in every field, and with little in any."""
    assert read_entry(write_entry(entry, SEAL), "CA1", SEAL) == entry


def test_words_that_break_lines_or_characters() -> None:
    """Whatever was said fits into a line."""
    said = (CallerSaid("one\ntwo\r\n\u2028three"), AgentSaid("half a \ud83d"))
    entry = replace(ENTRY, record=replace(RECORD, history=said))

    assert read_entry(write_entry(entry, SEAL), "CA1", SEAL) == entry


def test_nothing_of_it_is_readable() -> None:
    sealed = write_entry(ENTRY, SEAL)

    for word in (b"seven", b"+1415", b"baker", b"token"):
        assert word not in sealed


def test_it_opens_for_its_call_only() -> None:
    sealed = write_entry(ENTRY, SEAL)

    with pytest.raises(StoreError):
        read_entry(sealed, "CA2", SEAL)
    with pytest.raises(StoreError):
        read_entry(sealed, "CA1", Seal([b"another key of sixteen"]))


@pytest.mark.parametrize(
    "text", [b"", b"\n", b"{}\n", b"[]\n\n", b'{"fence": 1, "state": "odd"}\n', b"\xff\n\n"]
)
def test_what_cannot_be_read(text: bytes) -> None:
    """Is an error, and never a wrong entry."""
    with pytest.raises(StoreError):
        read_entry(SEAL.seal(text, "CA1", FIELD), "CA1", SEAL)


def test_what_another_version_wrote() -> None:
    """Fields that this one does not know are passed over."""
    text = SEAL.open(write_entry(ENTRY, SEAL), "CA1", FIELD)
    text = text.replace(b'"carrier"', b'"mood": "fine", "carrier"').replace(
        b'"fence"', b'"weather": [], "fence"', 1
    )

    assert read_entry(SEAL.seal(text, "CA1", FIELD), "CA1", SEAL) == ENTRY


def test_what_json_has_no_words_for() -> None:
    odd = replace(RECORD, config=RealtimeConfig(extra={"a": object()}))

    with pytest.raises(StoreError, match="cannot be written"):
        write_entry(replace(ENTRY, record=odd), SEAL)


def test_lines_that_stay_are_written_once() -> None:
    """And those that have changed, or moved, are written anew."""
    lines, first = Lines(), tuple(map(CallerSaid, "abc"))
    words: list[HistoryItem] = [CallerSaid("a"), AgentSaid("b"), *first[2:], CallerSaid("d")]
    changed = tuple(words)
    earlier, later = (replace(RECORD, history=said) for said in (first, changed))
    before = lines.write(earlier)
    after = lines.write(replace(later, written=(1_750_000_000_000, 8)))

    assert after[0] is before[0]
    assert after[1] is before[1]
    assert after[3] is before[3]
    assert after[2] != before[2]
    assert after == Lines().write(later)


def test_what_else_changes_is_written_anew() -> None:
    """A token, say, that the provider has given."""
    lines = Lines()
    lines.write(RECORD)

    assert b"another" in lines.write(replace(RECORD, resume_token="another"))[0]
