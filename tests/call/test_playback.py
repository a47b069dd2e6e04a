"""What the caller has heard, held against a carrier's queue that knows it."""

from __future__ import annotations

import itertools
from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bridge.audio.formats import PCM16_16K, ULAW_8K
from bridge.call.playback import FIRST_MARK_MS, MARK_MS, Playback
from bridge.call.vocabulary import Truncate
from bridge.simulator.playout import Playout
from tests.call.scripts import marks, sound

TICK = 0.02  # seconds; the carrier looks at its queue as often as it sends a frame

CHUNKS = st.lists(st.integers(1, 4_000), min_size=1, max_size=12)  # bytes
PAUSES = st.lists(st.sampled_from([0.0, 0.0, 0.05, 0.3, 1.0]), min_size=12, max_size=12)


class Line:
    """A playback and a carrier that plays what it is sent, in real time."""

    def __init__(self) -> None:
        self.playback = Playback(ULAW_8K)
        self.carrier = Playout()
        self.now = 0.0

    def say(self, item: str, size: int) -> None:
        for play in self.playback.play(item, b"\x10" * size, self.now):
            self.carrier.play(play.audio, self.now)
            if play.mark is not None:
                self.carrier.mark(play.mark, self.now)

    def wait(self, seconds: float) -> None:
        end = self.now + seconds
        while self.now < end:
            self.now = min(self.now + TICK, end)
            for name in self.carrier.advance(self.now):
                assert self.playback.played(name, self.now)

    @property
    def heard(self) -> int:
        return sum(len(span.audio) for span in self.carrier.heard)


@given(CHUNKS, PAUSES, st.floats(0.0, 3.0))
def test_how_much_of_an_item_was_heard(chunks: list[int], pauses: list[float], then: float) -> None:
    """However it is cut and whenever the voice runs dry: right to within two frames."""
    line = Line()
    for size, pause in zip(chunks, pauses, strict=False):
        line.say("i1", size)
        line.wait(pause)
    line.wait(then)

    cuts = line.playback.clear(line.now)

    told_ms = cuts[0].heard_ms if cuts else ULAW_8K.duration_ms(sum(chunks))
    assert len(cuts) <= 1
    assert abs(told_ms - ULAW_8K.duration_ms(line.heard)) <= 2 * TICK * 1000 + 1


@given(CHUNKS)
def test_nothing_is_lost_and_marks_are_not_far_apart(chunks: list[int]) -> None:
    """All the bytes in their order; a mark soon, then one every MARK_MS, and one at the end."""
    playback = Playback(ULAW_8K)
    plays = [
        play
        for number, size in enumerate(chunks)
        for play in playback.play("i1", bytes([number]) * size, 0.0)
    ]
    plays += playback.finish()

    sent = b"".join(play.audio for play in plays)
    assert sent == b"".join(bytes([n]) * size for n, size in enumerate(chunks))
    positions, position = [0], 0
    for play in plays:
        position += len(play.audio)
        if play.mark is not None:
            positions.append(position)
    steps = [ULAW_8K.duration_ms(b - a) for a, b in itertools.pairwise(positions)]
    assert steps[0] == FIRST_MARK_MS or positions[1] == len(sent) < ULAW_8K.size(FIRST_MARK_MS)
    assert steps[1:-1] == [MARK_MS] * len(steps[1:-1])
    assert 0 < steps[-1] <= MARK_MS
    assert positions[-1] == len(sent)
    assert len(set(marks(plays))) == len(steps)
    assert playback.finish() == []


@given(CHUNKS, st.permutations(range(8)))
def test_marks_in_any_order(chunks: list[int], order: Sequence[int]) -> None:
    """A mark that is passed by a later one is passed; the position never goes back."""
    playback = Playback(ULAW_8K)
    plays = [play for size in chunks for play in playback.play("i1", b"\x10" * size, 0.0)]
    names = marks(plays + playback.finish())
    furthest = -1
    for number in order:
        if number < len(names):
            counts = playback.played(names[number], 1.0)

            assert counts is (number > furthest)
            furthest = max(furthest, number)

    assert playback.speaking is (furthest < len(names) - 1)


def test_marks_of_a_cleared_queue_count_for_nothing() -> None:
    """The carrier returns them at once, as if they had been heard."""
    playback = Playback(ULAW_8K)
    old = marks(playback.play("i1", sound(500), 0.0))
    playback.clear(0.0)
    playback.play("i2", sound(500), 0.1)

    assert not any(playback.played(name, 0.1) for name in old)
    assert playback.clear(0.15) == [Truncate("i2", 50)]


def test_between_two_marks_the_clock_tells() -> None:
    """And never beyond the next mark, for nobody has told that it was passed."""
    for elapsed, heard_ms in [(0.03, 130), (0.4, 500), (1.0, 1100), (5.0, 1100), (-1.0, 100)]:
        playback = Playback(ULAW_8K)
        names = marks(playback.play("i1", sound(2000), 0.0))
        playback.played(names[0], 0.2)

        assert playback.clear(0.2 + elapsed) == [Truncate("i1", heard_ms)]


def test_behind_the_last_mark_the_clock_tells() -> None:
    """And never beyond what was sent."""
    playback = Playback(ULAW_8K)
    for name in marks(playback.play("i1", sound(300), 0.0)):
        playback.played(name, 0.15)

    assert playback.unheard(0.25) == [Truncate("i1", 200)]
    assert playback.unheard(5.0) == [Truncate("i1", 300)]


def test_the_voice_runs_dry_in_the_middle_of_an_item() -> None:
    """What comes after the gap is heard from when it came, not from the last mark."""
    playback = Playback(ULAW_8K)
    for name in marks(playback.play("i1", sound(100), 0.0)):
        playback.played(name, 0.1)
    assert not playback.speaking

    playback.play("i1", sound(100), 5.0)

    assert playback.clear(5.02) == [Truncate("i1", 120)]


def test_the_voice_comes_later_than_it_is_heard() -> None:
    """In a gap of the model's nothing is heard, and the caller is not ahead afterwards."""
    playback = Playback(ULAW_8K)
    [first] = marks(playback.play("i1", sound(100), 0.0))
    playback.play("i1", sound(100), 0.0)
    playback.played(first, 0.1)

    playback.play("i1", sound(100), 1.0)  # 0.8 s after all was heard

    assert playback.unheard(1.05) == [Truncate("i1", 250)]


def test_several_items() -> None:
    """Those that were heard to their end are not cut; those that did not begin are at 0."""
    playback = Playback(ULAW_8K)
    [first] = marks(playback.play("i1", sound(200), 0.0))
    playback.play("i2", sound(300), 0.0)
    playback.play("i3", sound(300), 0.0)
    playback.played(first, 0.1)

    assert playback.clear(0.25) == [Truncate("i2", 50), Truncate("i3", 0)]
    assert playback.clear(0.25) == []


def test_a_new_session_says_an_old_id() -> None:
    """The two items are two, although both are called the same."""
    playback = Playback(ULAW_8K)
    names = marks(playback.play("i1", sound(300), 0.0))
    playback.begin_session()
    playback.play("i1", sound(300), 0.0)
    playback.played(names[0], 0.1)

    assert playback.clear(0.1) == [Truncate("i1", 100), Truncate("i1", 0)]


def test_all_that_is_here_was_heard() -> None:
    playback = Playback(ULAW_8K)
    assert playback.so_far() == []

    playback.play("i1", sound(250), 0.0)
    assert playback.so_far() == [Truncate("i1", 250)]


def test_when_the_caller_will_have_heard_it() -> None:
    """Counted from the last mark."""
    playback = Playback(ULAW_8K)
    names = marks(playback.play("i1", sound(500), 1.0))
    assert playback.ends_at == pytest.approx(1.5)

    playback.played(names[0], 1.2)
    assert playback.ends_at == pytest.approx(1.6)

    playback.clear(1.3)
    assert playback.ends_at == pytest.approx(1.3)


def test_other_formats() -> None:
    """Pieces hold whole samples, and so many milliseconds."""
    playback = Playback(PCM16_16K)

    plays = playback.play("i1", bytes(PCM16_16K.size(1150)), 0.0)

    assert [len(play.audio) for play in plays] == [3200, 32000, 1600]
    assert playback.clear(0.05) == [Truncate("i1", 50)]


def test_what_was_heard_can_be_asked_in_mid_sentence() -> None:
    """The answer changes nothing of what is queued."""
    playback = Playback(ULAW_8K)
    playback.play("item", bytes(4_000), now=1.0)

    asked = playback.unheard(now=1.05)

    assert asked == [Truncate("item", heard_ms=50)]
    assert playback.speaking
    assert playback.clear(now=1.05) == asked
