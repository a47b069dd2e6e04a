"""What happened when."""

from __future__ import annotations

from bridge.call.timeline import MAX_ENTRIES, Entry, Timeline
from bridge.call.vocabulary import Happened, Moment


def test_in_order_and_from_the_beginning_of_the_call() -> None:
    timeline = Timeline(100.0)
    timeline.add(Happened(Moment.ANSWERED), 100.5)
    timeline.add(Happened(Moment.TOOL, "hours"), 103.0)

    assert list(timeline) == [
        Entry(0.5, Happened(Moment.ANSWERED)),
        Entry(3.0, Happened(Moment.TOOL, "hours")),
    ]


def test_the_oldest_entries_of_a_very_long_call_go() -> None:
    timeline = Timeline(0.0)
    for second in range(MAX_ENTRIES + 10):
        timeline.add(Happened(Moment.KEYS), float(second))

    entries = list(timeline)

    assert len(entries) == MAX_ENTRIES
    assert entries[0].at == 10.0


def test_it_may_grow_while_somebody_reads() -> None:
    timeline = Timeline(0.0)
    timeline.add(Happened(Moment.ANSWERED), 0.0)

    for _ in timeline:
        timeline.add(Happened(Moment.KEYS), 1.0)

    assert len(list(timeline)) == 2


def test_what_happened_on_earlier_legs_comes_first() -> None:
    earlier = [Entry(1.0, Happened(Moment.ANSWERED))]
    timeline = Timeline(100.0, earlier)

    timeline.add(Happened(Moment.RESUMED), 107.5)

    assert [(entry.at, entry.happened.what) for entry in timeline] == [
        (1.0, Moment.ANSWERED),
        (7.5, Moment.RESUMED),
    ]
