"""Who is an orphan, who is not, and when it is wise to believe it."""

from __future__ import annotations

from dataclasses import replace

import pytest

from bridge.call.rescue import (
    Orphans,
    Pace,
    RescueTimes,
    Steadiness,
    is_orphan,
    is_stranded,
    survey,
)
from bridge.ports.fleet import Holding, Member, Pulse
from bridge.ports.store import CallState

TIMES = RescueTimes()
LIVE = Holding("CA1", CallState.LIVE, 20, "dead", leased=False, shown=10, asked_seconds=None)
WAITING = replace(LIVE, state=CallState.WAITING)
NEW = Holding("CA1", CallState.NEW, 0, "", leased=False, shown=None, asked_seconds=None)
GONE = frozenset({"dead"})


@pytest.mark.parametrize("holding", [LIVE, replace(LIVE, leased=True), WAITING])
def test_a_leg_that_ended_strands_the_call_that_was_claimed_for_it(holding: Holding) -> None:
    """Whatever its owner thinks, and however lately it wrote."""
    assert is_stranded(holding, 10, TIMES)


@pytest.mark.parametrize("leg", [5, 11, 20])
def test_the_end_of_another_leg_means_nothing(leg: int) -> None:
    """It was replaced long ago, or nobody knows of it."""
    assert not is_stranded(LIVE, leg, TIMES)
    assert not is_stranded(replace(LIVE, shown=None), leg, TIMES)


def test_a_leg_that_was_never_claimed_strands_its_call() -> None:
    """The stream could not be opened. A call that is live with another leg is none of its."""
    assert is_stranded(NEW, 0, TIMES)
    assert is_stranded(WAITING, 20, TIMES)
    assert not is_stranded(LIVE, 20, TIMES)


@pytest.mark.parametrize("holding", [NEW, LIVE, WAITING])
def test_a_call_that_the_carrier_asks_about_is_in_good_hands(holding: Holding) -> None:
    """For a few seconds; then it has not come of that what should have."""
    lately = replace(holding, asked_seconds=TIMES.asked - 0.1)
    long_ago = replace(holding, asked_seconds=TIMES.asked)
    leg = 0 if holding is NEW else 10

    assert not is_stranded(lately, leg, TIMES)
    assert is_stranded(long_ago, leg, TIMES)
    assert not is_orphan(lately, GONE, TIMES)


def test_nobody_misses_a_call_that_has_ended() -> None:
    ended = replace(LIVE, state=CallState.ENDED)

    assert not is_stranded(ended, 10, TIMES)
    assert not is_stranded(None, 10, TIMES)
    assert not is_orphan(ended, GONE, TIMES)
    assert not is_orphan(None, GONE, TIMES)


def test_an_orphan_has_lost_its_owner() -> None:
    """The owner was seen alive once and is not any more, and its last write is old."""
    assert is_orphan(LIVE, GONE, TIMES)
    assert not is_orphan(LIVE, frozenset(), TIMES)
    assert not is_orphan(replace(LIVE, owner="alive"), GONE, TIMES)
    assert not is_orphan(replace(LIVE, leased=True), GONE, TIMES)


def test_whoever_waits_for_a_leg_may_be_an_orphan() -> None:
    """Whether or not the last owner is alive."""
    assert is_orphan(WAITING, frozenset(), TIMES)
    assert not is_orphan(NEW, GONE, TIMES)


def member(worker: str, silent: float, **pulse: object) -> Member:
    return Member(replace(Pulse(worker, watching=True), **pulse), silent)  # type: ignore[arg-type]


def test_the_workers_at_one_glance() -> None:
    """Those that left long ago, or said goodbye, are gone; they are no sign of trouble."""
    found = survey([member("c", 0.5), member("b", 4.9), member("d", 5.0), member("e", 61.0)], TIMES)

    assert found.alive == {"b", "c"}
    assert found.gone == {"d", "e"}
    assert found.lately_gone == 1
    assert found.trustworthy


def test_one_looks_after_the_calls() -> None:
    """The first by name of those who could: neither about to leave nor new."""
    others = [member("a", 9.0), member("b", 1.0, draining=True), member("c", 1.0, watching=False)]

    assert survey([*others, member("e", 1.0), member("d", 1.0)], TIMES).watcher == "d"
    assert survey(others, TIMES).watcher is None


@pytest.mark.parametrize(("dead", "trustworthy"), [(0, True), (2, True), (3, False)])
def test_most_of_the_workers_do_not_die_at_once(dead: int, trustworthy: bool) -> None:
    members = [member("a", 1.0), member("b", 1.0), *(member(f"{n}", 10.0) for n in range(dead))]

    assert survey(members, TIMES).trustworthy is trustworthy


def test_what_one_worker_was_told_all_know() -> None:
    """Where carriers find the bridge: the latest news, also of the dead."""
    members = [member("a", 1.0), member("b", 9.0, path=""), member("c", 20.0, path="/old")]

    assert survey(members, TIMES).path == ""
    assert survey(members[:1], TIMES).path is None


def test_a_store_is_steady_when_it_was_watched_for_long() -> None:
    steadiness = Steadiness(now=100.0)
    steadiness.saw("one", now=101.0)

    assert not steadiness.steady(114.9, 15.0)
    assert steadiness.steady(115.0, 15.0)
    assert not steadiness.troubled(101.0, 15.0), "to be new is no trouble"


def test_an_outage_or_another_store_begins_the_watch_anew() -> None:
    """A failover and a restart have another mark."""
    steadiness = Steadiness(now=0.0)
    steadiness.saw("one", now=100.0)
    steadiness.failed(now=200.0)
    assert steadiness.troubled(214.9, 15.0)
    assert steadiness.steady(215.0, 15.0)

    steadiness.saw("two", now=300.0)
    steadiness.saw("two", now=310.0)

    assert not steadiness.steady(314.9, 15.0)
    assert steadiness.steady(315.0, 15.0)


def test_rescues_keep_their_pace() -> None:
    """At the most so many in a second, and not on the beat."""
    pace = Pace(5.0, dice=lambda: 1.0)
    now, turns = 10.0, []
    for _ in range(11):
        now += pace.wait(now)
        turns.append(now)

    assert turns[0] == pytest.approx(10.1)
    assert turns[10] - turns[0] >= 10 / 5.0
    assert pace.wait(100.0) == pytest.approx(0.1)


def test_a_dead_owner_s_call_is_due_at_once() -> None:
    orphans = Orphans(TIMES)

    assert orphans.due([LIVE, replace(LIVE, call_id="CA2", owner="b")], GONE, now=0.0) == [LIVE]


def test_a_call_that_waits_is_given_some_seconds() -> None:
    """A leg of its own begins the wait anew, and so does a look that did not find it."""
    orphans = Orphans(TIMES)

    assert orphans.due([WAITING], GONE, now=0.0) == []
    assert orphans.due([WAITING], GONE, now=3.9) == []
    assert orphans.due([WAITING], GONE, now=4.0) == [WAITING]
    again = replace(WAITING, fence=21)
    assert orphans.due([again], GONE, now=5.0) == []
    assert orphans.due([], GONE, now=6.0) == []
    assert orphans.due([again], GONE, now=9.0) == []
    orphans.forget()
    assert orphans.due([again], GONE, now=13.0) == []


def test_what_could_not_be_rescued_is_tried_later_and_later() -> None:
    orphans = Orphans(TIMES)
    now, pauses = 0.0, []
    for _ in range(6):
        began = now
        while not orphans.due([LIVE], GONE, now):
            now += 0.5
        pauses.append(now - began)
        orphans.put_off("CA1", now)

    assert pauses == [0.0, 4.0, 8.0, 16.0, 32.0, 60.0]
    orphans.put_off("CA-unknown", now)
