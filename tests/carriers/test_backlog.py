"""Events wait for a listener in order, and not without bound."""

from __future__ import annotations

from bridge.audio.formats import ULAW_8K
from bridge.carriers.backlog import Backlog
from bridge.errors import Ending, Fault
from bridge.ports import leg

STARTED = leg.Started("CA1", ULAW_8K)
ENDED = leg.Ended(Ending(Fault.CALLER, "hangup"))


def heard(number: int) -> leg.Heard:
    return leg.Heard(bytes([number]))


def test_what_came_before_the_listener_comes_first() -> None:
    backlog = Backlog()
    told: list[leg.LegEvent] = []
    backlog.put(STARTED)
    backlog.put(heard(1))

    backlog.attach(told.append)
    backlog.put(heard(2))

    assert told == [STARTED, heard(1), heard(2)]


def test_what_comes_during_the_hand_over_waits_for_its_turn() -> None:
    """A listener that answers an event may cause another one."""
    backlog = Backlog()
    told: list[leg.LegEvent] = []

    def listener(event: leg.LegEvent) -> None:
        told.append(event)
        if event == STARTED:
            backlog.put(ENDED)

    backlog.put(STARTED)
    backlog.put(heard(1))
    backlog.attach(listener)

    assert told == [STARTED, heard(1), ENDED]


def test_the_oldest_audio_makes_room() -> None:
    """What was said first is forgotten; that somebody is there is not."""
    backlog = Backlog(max_events=3)
    told: list[leg.LegEvent] = []
    for event in (STARTED, heard(1), heard(2), heard(3), leg.Digit("5")):
        backlog.put(event)

    backlog.attach(told.append)

    assert told == [STARTED, heard(3), leg.Digit("5")]
    assert backlog.dropped == 2


def test_a_flood_of_digits_is_cut_but_the_end_is_told() -> None:
    backlog = Backlog(max_events=3)
    told: list[leg.LegEvent] = []
    backlog.put(STARTED)
    for _ in range(9):
        backlog.put(leg.Digit("1"))
    backlog.put(ENDED)

    backlog.attach(told.append)

    assert told == [STARTED, leg.Digit("1"), leg.Digit("1"), ENDED]
    assert backlog.dropped == 7


def test_audio_may_be_had_by_itself() -> None:
    """What waited comes in its order; from then on no event is made of it."""
    backlog = Backlog()
    told: list[leg.LegEvent | bytes] = []
    backlog.heard(b"1")
    backlog.put(STARTED)
    backlog.heard(b"2")

    backlog.attach(told.append, told.append)
    backlog.heard(b"3")
    backlog.put(ENDED)

    assert told == [b"1", STARTED, b"2", b"3", ENDED]


def test_behind_the_end_nothing_is_told() -> None:
    """Not to whoever listened, nor to whoever comes later and hears only how it was."""
    backlog = Backlog()
    first: list[leg.LegEvent | bytes] = []
    later: list[leg.LegEvent | bytes] = []
    backlog.attach(first.append, first.append)
    backlog.put(ENDED)
    backlog.put(leg.Digit("1"))
    backlog.heard(b"1")
    backlog.attach(later.append, later.append)
    backlog.heard(b"2")
    backlog.put(ENDED)

    assert (first, later) == ([ENDED], [])


def test_whoever_comes_after_the_end_hears_what_was_kept() -> None:
    backlog = Backlog()
    told: list[leg.LegEvent | bytes] = []
    backlog.heard(b"1")
    backlog.put(ENDED)
    backlog.heard(b"2")

    backlog.attach(told.append, told.append)

    assert told == [b"1", ENDED]


def test_whoever_attaches_meanwhile_hears_from_then_on() -> None:
    """A listener that makes another one hear the audio, while a backlog is handed over."""
    backlog = Backlog()
    told: list[leg.LegEvent | bytes] = []
    silenced: list[bytes] = []

    def listener(event: leg.LegEvent) -> None:
        told.append(event)
        backlog.attach(told.append, silenced.append)

    backlog.put(STARTED)
    backlog.heard(b"1")
    backlog.attach(listener, told.append)
    backlog.heard(b"2")

    assert told == [STARTED]
    assert silenced == [b"1", b"2"]
