"""What is newer wins, what nobody was told is put in front, and nothing is told twice."""

from __future__ import annotations

from dataclasses import replace

from bridge.ports.conversation import AgentSaid, CallerSaid
from bridge.ports.store import CallRecord, CallState, Cut
from bridge.store.entry import Entry
from bridge.store.knowledge import UNSTAMPED, Knowledge, merged, unstamped


def said(*turns: str, written: tuple[int, int] = UNSTAMPED) -> CallRecord:
    return CallRecord("CA1", history=tuple(map(CallerSaid, turns)), written=written)


def kept(record: CallRecord | None, *, whole: bool = True) -> Entry:
    return Entry("CA1", 1, "c", CallState.LIVE, record, whole)


def turns(record: CallRecord | None) -> list[str]:
    assert record is not None
    return [item.text for item in record.history if isinstance(item, CallerSaid | AgentSaid)]


# When a call is claimed


def test_the_store_is_behind() -> None:
    """It was away while the last holder went on, or has come back with less."""
    stored, local = said("one", "tw", written=(5, 3)), said("one", "two", "three", written=(5, 9))

    assert merged(stored, kept(local)) is local
    assert merged(None, kept(local)) is local


def test_the_store_knows_more() -> None:
    """The call has been on another machine since, or this machine has kept nothing of it."""
    stored = said("one", "two", written=(7, 1))

    assert merged(stored, kept(said("one", written=(5, 9)))) is stored
    assert merged(stored, kept(said("one", "two", written=(7, 1)))) is stored
    assert merged(stored, kept(None)) is stored
    assert merged(stored, None) is stored
    assert merged(None, None) is None


def test_both_know_a_part() -> None:
    """The last holder began without the store, which knew of the beginning."""
    stored, local = said("one", "two", written=(5, 9)), said("three", written=(8, 1))

    assert turns(merged(stored, kept(local, whole=False))) == ["one", "two", "three"]


def test_a_stamp_is_nobodys_business() -> None:
    assert unstamped(said("one", written=(5, 9))) == said("one")
    assert unstamped(None) is None


# What a holder writes


def test_writes_are_numbered() -> None:
    """And the same once more is the same write."""
    knowledge = Knowledge()
    stamps = [
        knowledge.stamp(record, 8).written
        for record in (said("one"), said("one"), said("one", "two"), said("one"))
    ]

    assert stamps == [(8, 1), (8, 1), (8, 2), (8, 3)]


def test_who_was_told_all_adds_nothing() -> None:
    """The store comes back with what it had before, of which one turn was cut short since."""
    told = said("one", "two", written=(5, 9))
    knowledge = Knowledge(told, asked=False)

    knowledge.learn(said("one", "two, which is long", written=(5, 8)))

    record = knowledge.stamp(said("one", "two", "three"), 8)
    assert knowledge.asked
    assert turns(record) == ["one", "two", "three"]


def test_who_was_told_nothing_adds_what_is_stored() -> None:
    """In front of all that was said since, each time."""
    knowledge = Knowledge(None, whole=False, asked=False)
    before = knowledge.stamp(said("three"), 8)

    knowledge.learn(said("one", "two", written=(5, 9)))

    assert turns(before) == ["three"]
    assert turns(knowledge.stamp(said("three"), 8)) == ["one", "two", "three"]
    assert turns(knowledge.stamp(said("three", "four"), 8)) == ["one", "two", "three", "four"]
    assert knowledge.whole


def test_who_was_told_of_what_came_after_the_store_was_lost() -> None:
    """The holder before it was told nothing, either: the beginning is in the store alone."""
    knowledge = Knowledge(said("three", written=(8, 4)), whole=False, asked=False)

    knowledge.learn(said("one", "two", written=(5, 9)))

    assert turns(knowledge.stamp(said("three", "four"), 9)) == ["one", "two", "three", "four"]


def test_who_was_told_of_old_things_adds_the_newer_ones() -> None:
    """The call has been on another machine meanwhile, and nobody here knew."""
    knowledge = Knowledge(said("one", written=(5, 9)), asked=False)

    knowledge.learn(said("one", "two", written=(7, 2)))

    record = knowledge.stamp(said("one", "three"), 8)
    assert turns(record) == ["one", "two", "three"]


def test_a_store_that_knows_nothing() -> None:
    knowledge = Knowledge(said("one", written=(5, 9)), whole=False, asked=False)

    knowledge.learn(None)

    assert turns(knowledge.stamp(said("one", "two"), 8)) == ["one", "two"]
    assert knowledge.whole


def test_the_rest_of_a_record_is_the_holders() -> None:
    """But for what it cannot know."""
    knowledge = Knowledge(None, whole=False, asked=False)
    stored = replace(said("one"), caller="+14155550111", cut=Cut.CALLER)
    knowledge.learn(stored)

    record = knowledge.stamp(replace(said("two"), cut=Cut.AGENT), 8)

    assert (record.caller, record.cut) == ("+14155550111", Cut.AGENT)
