"""What happens again and again is said now and then."""

from __future__ import annotations

from bridge.telemetry.seldom import SECONDS, Seldom


def test_the_first_time_is_said_at_once_and_the_others_later() -> None:
    """With how many there were since."""
    now = [100.0]
    seldom = Seldom(lambda: now[0])

    said = [seldom.again() for _ in range(3)]
    now[0] += SECONDS
    later = [seldom.again() for _ in range(2)]

    assert said == [1, 0, 0]
    assert later == [3, 0]
