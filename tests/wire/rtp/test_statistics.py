"""Sequence numbers, losses and jitter."""

from __future__ import annotations

import pytest

from bridge.wire.rtp.statistics import Arrival, Source

NEXT, AHEAD, BEHIND, DUPLICATE, ASTRAY, RESTART = Arrival


def heard(*sequences: int) -> tuple[Source, list[Arrival]]:
    source = Source(1, sequences[0])
    return source, [source.arrive(sequence & 0xFFFF) for sequence in sequences]


def test_in_order_through_the_wrap() -> None:
    """65 535 is followed by 0."""
    source, arrivals = heard(65_534, 65_535, 65_536, 65_537)

    assert arrivals == [NEXT] * 4
    assert source.highest == 65_537
    assert (source.expected, source.lost) == (4, 0)


def test_lost_late_and_twice() -> None:
    """What comes late is lost no more; what comes twice counts once."""
    source, arrivals = heard(65_535, 65_538, 65_536, 65_536, 65_538)

    assert arrivals == [NEXT, AHEAD, BEHIND, DUPLICATE, DUPLICATE]
    assert (source.received, source.expected, source.lost) == (3, 4, 1)


def test_a_jump_is_believed_when_it_goes_on() -> None:
    """One packet from far away is astray, two in a row are a restart."""
    source, arrivals = heard(10, 11, 30_000, 12, 40_000, 40_001, 40_002)

    assert arrivals == [NEXT, NEXT, ASTRAY, NEXT, ASTRAY, RESTART, NEXT]
    assert source.lost == 0


def test_older_than_the_first() -> None:
    """What came before we listened is none of ours."""
    assert heard(10, 11, 9)[1] == [NEXT, NEXT, ASTRAY]


def test_reports_of_loss() -> None:
    """The fraction is of the time since the last one, the number of all (section A.3)."""
    source, _ = heard(1, 2, 4)

    assert source.interval() == (64, 1)
    assert source.interval() == (0, 1)
    source.arrive(5)
    assert source.interval() == (0, 1)
    source.arrive(3)  # late: one more came than was due
    assert source.interval() == (0, 0)


def test_jitter_is_that_of_the_rfc() -> None:
    """J += (|D| - J) / 16 (section 6.4.1), through the wrap of the timestamp."""
    source, _ = heard(1)
    source.timed(0xFFFFFF60, 10.000)

    source.timed(0, 10.030)
    first = source.jitter
    source.timed(160, 10.040)

    assert first == pytest.approx(80 / 16)
    assert source.jitter == pytest.approx(first + (80 - first) / 16)


def test_a_jump_is_no_jitter() -> None:
    """After a restart the times have nothing to do with those before."""
    source, _ = heard(1)
    source.timed(0, 10.0)
    source.untimed()
    source.timed(1_000_000, 10.020)

    assert source.jitter == 0
