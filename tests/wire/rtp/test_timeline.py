"""Audio by its timestamps."""

from __future__ import annotations

from bridge.wire.rtp.timeline import BEHIND, Timeline


def test_pieces_of_any_size_in_any_order() -> None:
    """What is whole can be taken, wherever its packets were cut."""
    timeline = Timeline(1000, b"\xff")
    timeline.put(1080, b"b" * 240)
    timeline.put(1000, b"a" * 80)

    assert timeline.take(1000, 160) == b"a" * 80 + b"b" * 80
    assert timeline.take(1160, 160) == b"b" * 160
    assert timeline.take(1200, 160) is None
    assert timeline.end == 1320


def test_what_is_missing_is_known_to_be() -> None:
    """Runs of what is there, and of what is not."""
    timeline = Timeline(0, b"\xff")
    timeline.put(100, b"a" * 60)

    assert timeline.take(0, 160) is None
    assert timeline.run(0, 160) == (False, 100)
    assert timeline.run(100, 40) == (True, 40)
    assert timeline.run(100, 160) == (True, 60)
    assert timeline.run(160, 160) == (False, 160)
    assert timeline.next_known(0) == 100
    assert timeline.next_known(160) is None


def test_what_was_made_up_is_remembered_and_not_known() -> None:
    """The next loss goes on from it; the real thing takes its place."""
    timeline = Timeline(0, b"\xff")
    timeline.put(0, b"a" * 80)
    timeline.imagine(80, b"x" * 80)

    assert timeline.before(160, 100) == b"a" * 20 + b"x" * 80
    assert timeline.take(0, 160) is None
    assert timeline.end == 80
    timeline.put(80, b"b" * 80)
    assert timeline.take(0, 160) == b"a" * 80 + b"b" * 80


def test_the_past_is_forgotten() -> None:
    """But for a little of it, and what comes for it then is cut."""
    timeline = Timeline(0, b"\xff")
    for position in range(0, 16_000, 160):
        timeline.put(position, b"a" * 160)

    timeline.forget(12_000)
    timeline.put(timeline.origin - 80, b"b" * 160)

    assert timeline.origin == 12_000 - BEHIND
    assert timeline.before(12_000, 160) == b"a" * 160
    assert timeline.take(timeline.origin, 160) == b"b" * 80 + b"a" * 80


def test_everything_may_be_past() -> None:
    """Nothing came for a long time; then something does."""
    timeline = Timeline(0, b"\xff")
    timeline.put(0, b"a" * 160)

    timeline.forget(20_000)
    timeline.put(20_080, b"b" * 80)

    assert timeline.run(20_000, 160) == (False, 80)
    assert timeline.take(20_080, 80) == b"b" * 80
