"""What happened, in its order."""

from __future__ import annotations

from bridge.simulator.journal import Journal, Moment, Utterance, Violation, What


def test_moments_count_from_the_beginning() -> None:
    """The loop's clock goes in, seconds of the call come out, live too."""
    live: list[Moment] = []
    journal = Journal(1_000.0, live.append)

    journal.note(1_000.0, What.PICKED_UP)
    journal.note(1_001.5, What.KEY, "4")

    assert journal.moments == live == [Moment(0.0, What.PICKED_UP), Moment(1.5, What.KEY, "4")]


def test_a_violation_is_a_moment_too() -> None:
    """With its code in front."""
    journal = Journal(1_000.0)

    journal.violate(1_002.0, 31951, "nonsense")

    assert journal.violations == [Violation(2.0, 31951, "nonsense")]
    assert journal.moments == [Moment(2.0, What.VIOLATION, "31951: nonsense")]


def test_an_utterance_on_another_clock() -> None:
    """Its end moves with its start; one that has none keeps none."""
    utterance = Utterance("hello", b"", 1_001.0, end=1_003.0)

    assert utterance.since(1_000.0) == Utterance("hello", b"", 1.0, end=3.0)
    assert Utterance("hello", b"", 1_001.0).since(1_000.0).end is None
