"""When silence means that a connection is broken. The clock is an argument."""

from __future__ import annotations

from bridge.providers.gemini.patience import Patience


def test_silence_alone_means_nothing() -> None:
    patience = Patience(silence=20.0, blockage=8.0)

    assert patience.deadline is None
    assert not patience.exhausted(now=1_000.0)


def test_silence_counts_while_something_is_owed() -> None:
    patience = Patience(silence=20.0, blockage=8.0)
    patience.owed(now=1_000.0)
    patience.owed(now=1_010.0)

    assert patience.deadline == 1_020.0
    assert not patience.exhausted(now=1_019.9)
    assert patience.exhausted(now=1_020.0)


def test_any_message_renews_it() -> None:
    patience = Patience(silence=20.0, blockage=8.0)
    patience.heard(now=900.0)
    patience.owed(now=1_000.0)
    patience.heard(now=1_015.0)

    assert patience.deadline == 1_035.0
    assert not patience.exhausted(now=1_020.0)


def test_what_is_settled_is_forgotten() -> None:
    patience = Patience(silence=20.0, blockage=8.0)
    patience.owed(now=0.0)
    patience.settled()

    assert patience.deadline is None
    assert not patience.exhausted(now=100.0)


def test_a_network_that_takes_nothing_is_dead_after_a_while() -> None:
    patience = Patience(silence=20.0, blockage=8.0)
    patience.blocked(now=0.0)
    patience.blocked(now=7.0)

    assert not patience.exhausted(now=7.9)
    assert patience.exhausted(now=8.0)


def test_one_piece_that_gets_through_clears_the_blockage() -> None:
    patience = Patience(silence=20.0, blockage=8.0)
    patience.blocked(now=0.0)
    patience.flowing()
    patience.blocked(now=7.0)

    assert not patience.exhausted(now=14.9)
    assert patience.exhausted(now=15.0)
