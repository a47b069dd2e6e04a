"""How long the session lives. Times are seconds."""

from __future__ import annotations

import pytest

from bridge.runner.lifetime import Lifetime


@pytest.mark.parametrize(
    ("expires_in", "rotate_at"), [(None, None), (3600.0, 3640.0), (60.0, 130.0)]
)
def test_a_session_is_to_be_replaced_before_its_end(
    expires_in: float | None, rotate_at: float | None
) -> None:
    """A minute early, or at half of a short life."""
    life = Lifetime()
    life.begin(100.0, expires_in)

    assert life.connected
    assert life.rotate_at == rotate_at


def test_rotation_is_due_once() -> None:
    """Whoever is told takes care of it."""
    life = Lifetime()
    life.begin(0.0, 100.0)

    assert [life.rotation_due(now) for now in (49.0, 50.0, 51.0)] == [False, True, False]
    assert life.rotate_at is None


def test_a_rotation_that_failed_is_tried_again_near_the_end() -> None:
    """Unless there is a time for it already, or the end is here."""
    life = Lifetime()
    life.begin(0.0, 100.0)
    life.rotate_once_more(10.0)
    untouched = life.rotate_at
    life.rotation_due(50.0)
    life.rotate_once_more(51.0)
    again = life.rotate_at
    life.rotation_due(97.0)
    life.rotate_once_more(97.5)

    assert untouched == 50.0
    assert again == 97.0
    assert life.rotate_at is None


def test_an_ended_session_needs_no_rotation() -> None:
    """And it is known since when there is none."""
    life = Lifetime()
    life.begin(0.0, 100.0)
    life.end(30.0)

    assert not life.connected
    assert life.silence(31.5) == 1.5
    assert life.rotate_at is None


def test_short_lives_are_counted_until_one_is_long() -> None:
    """Three seconds are long: somebody may have been answered."""
    life = Lifetime()
    counts = []
    for seconds in (1.0, 2.9, 3.0, 2.0):
        life.begin(100.0, None)
        life.drop(100.0 + seconds)
        counts.append(life.short_lives)

    assert counts == [1, 2, 0, 1]
