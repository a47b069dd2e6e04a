"""The carrier's queue, told the time."""

from __future__ import annotations

import pytest

from bridge.simulator.playout import Gap, Playout, Span, heard_between

SECOND = bytes(range(128)) * 62 + bytes(64)  # 8000 different enough bytes of mu-law
FRAME = SECOND[:160]


def heard_at(spans: list[Span]) -> list[tuple[float, int]]:
    return [(round(span.at, 6), len(span.audio)) for span in spans]


def test_audio_is_played_in_real_time() -> None:
    """A second of audio takes a second, and what is left is still queued."""
    playout = Playout()

    playout.play(SECOND, now=10.0)
    playout.advance(10.25)

    assert heard_at(playout.heard) == [(10.0, 2_000)]
    assert playout.heard[0].audio == SECOND[:2_000]
    assert playout.queued_seconds == 0.75


def test_audio_is_played_behind_what_is_queued() -> None:
    """A burst is heard without a break, whenever its pieces came in."""
    playout = Playout()

    playout.play(SECOND, now=1.0)
    playout.play(SECOND, now=1.1)
    playout.advance(9.0)

    assert heard_at(playout.heard) == [(1.0, 16_000)]
    assert playout.gaps == []


def test_audio_after_a_pause_begins_when_it_comes_in() -> None:
    """Silence is not audio: the next words have their own time."""
    playout = Playout()

    playout.play(FRAME, now=1.0)
    playout.play(FRAME, now=5.0)
    playout.advance(6.0)

    assert heard_at(playout.heard) == [(1.0, 160), (5.0, 160)]


def test_mark_comes_back_when_it_is_reached() -> None:
    """A mark is told once, when all audio before it was played and not sooner."""
    playout = Playout()
    playout.play(SECOND, now=0.0)
    playout.mark("first", now=0.0)
    playout.play(SECOND, now=0.0)
    playout.mark("second", now=0.0)

    told = [playout.advance(now) for now in (0.5, 0.999, 1.0, 1.5, 2.0, 3.0)]

    assert told == [(), (), ("first",), (), ("second",), ()]


def test_mark_on_an_empty_queue_comes_back_at_once() -> None:
    """Nothing has to be played before it."""
    playout = Playout()

    playout.mark("at once", now=4.0)

    assert playout.advance(4.0) == ("at once",)


def test_mark_behind_a_mark() -> None:
    """Marks without audio between them come back together, in their order."""
    playout = Playout()
    playout.play(FRAME, now=0.0)
    playout.mark("a", now=0.0)
    playout.mark("b", now=0.0)

    assert playout.advance(0.02) == ("a", "b")


def test_clear_drops_the_queue_and_returns_every_mark() -> None:
    """After a clear nothing of what was queued is heard, and no mark is owed."""
    playout = Playout()
    playout.play(SECOND, now=0.0)
    playout.mark("heard", now=0.0)
    playout.play(SECOND, now=0.0)
    playout.mark("cut", now=0.0)
    playout.mark("cut too", now=0.0)

    returned = playout.clear(now=1.5)

    assert returned == ("heard", "cut", "cut too")
    assert playout.advance(10.0) == ()
    assert heard_at(playout.heard) == [(0.0, 12_000)]
    assert playout.queued_seconds == 0


def test_audio_after_a_clear_is_played_at_once() -> None:
    """The queue starts afresh."""
    playout = Playout()
    playout.play(SECOND, now=0.0)
    playout.clear(now=0.5)

    playout.play(FRAME, now=0.5)
    playout.advance(1.0)

    assert heard_at(playout.heard) == [(0.0, 4_160)]
    assert bytes(playout.heard[0].audio[-160:]) == FRAME


def test_running_dry_in_a_talk_spurt_is_a_gap() -> None:
    """Audio that comes too late to be played without a break is measured."""
    playout = Playout()

    playout.play(SECOND, now=0.0)
    playout.play(SECOND, now=1.25)

    assert playout.gaps == [Gap(1.0, 0.25)]


@pytest.mark.parametrize(("late", "why"), [(0.01, "jitter"), (1.5, "a pause")])
def test_what_is_no_gap(late: float, why: str) -> None:
    """Less than a frame is jitter, and more than a second is a pause."""
    playout = Playout()

    playout.play(SECOND, now=0.0)
    playout.play(SECOND, now=1.0 + late)

    assert playout.gaps == [], why


def test_the_other_ones_turn_is_no_gap() -> None:
    """Silence around the caller's words, or after a clear, is not the agent's fault."""
    turn, cleared = Playout(), Playout()

    turn.play(FRAME, now=0.0)
    turn.end_spurt()
    turn.play(FRAME, now=0.5)
    cleared.play(SECOND, now=0.0)
    cleared.clear(now=0.1)
    cleared.play(FRAME, now=0.5)

    assert turn.gaps == cleared.gaps == []


def test_ten_minutes_are_queued_and_no_more() -> None:
    """What goes beyond the carrier's buffer is thrown away and told in bytes."""
    playout = Playout()

    dropped = playout.play(bytes(600 * 8_000 + 80), now=0.0)
    more = playout.play(FRAME, now=0.0)
    later = playout.play(FRAME, now=0.02)

    assert (dropped, more, later) == (80, 160, 0)
    assert playout.queued_seconds == 600


def test_what_was_heard_has_silence_between_spans() -> None:
    """The caller's ear: 0xFF where nothing was played."""
    playout = Playout()
    playout.play(b"\x01" * 160, now=1.0)
    playout.play(b"\x02" * 160, now=1.04)
    playout.advance(2.0)

    heard = playout.between(0.98, 1.08)

    silence = b"\xff" * 160
    assert heard == silence + b"\x01" * 160 + silence + b"\x02" * 160 + silence
    assert playout.between(1.01, 1.03) == b"\x01" * 80 + b"\xff" * 80
    assert playout.between(7.0, 7.02) == silence


def test_between_takes_spans_of_several_streams() -> None:
    """A call that was carried by two streams is heard as one."""
    spans = [Span(0.0, bytearray(b"\x01" * 80)), Span(0.02, bytearray(b"\x02" * 80))]

    assert heard_between(spans, 0.0, 0.03) == b"\x01" * 80 + b"\xff" * 80 + b"\x02" * 80


def test_a_real_time_sender_is_heard_whole() -> None:
    """Frames that come every 20 ms with a little jitter make no gaps, and none is lost."""
    playout = Playout()
    jitter = (0.0, 0.004, 0.001, 0.009, 0.002)

    for index in range(500):
        playout.play(FRAME, now=index * 0.02 + jitter[index % 5])
    playout.advance(20.0)

    assert sum(len(span.audio) for span in playout.heard) == 500 * 160
    assert playout.gaps == []
