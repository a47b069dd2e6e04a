"""Which samples are played now."""

from __future__ import annotations

import pytest

from bridge.audio.formats import ALAW_8K, ULAW_8K
from bridge.wire.rtp.playout import Playout, Rules
from bridge.wire.rtp.statistics import Arrival
from tests.wire.rtp.line import speech

SILENCE = b"\xff" * 160
LOUD = speech()[9600:9760]


def begun(rules: Rules | None = None) -> Playout:
    """A voice that began at 10.0, the first frame of which is due at 10.04."""
    playout = Playout(ULAW_8K, rules or Rules())
    playout.begin(0)
    playout.put(0, LOUD, Arrival.RESTART, 10.0)
    return playout


def go_on(playout: Playout, first: int, last: int, audio: bytes = SILENCE) -> list[bytes]:
    """Packets `first` to `last` come on time, and their frames are played."""
    frames = []
    for number in range(first, last):
        playout.put(number * 160, audio, Arrival.NEXT, 10.0 + number * 0.02)
        frames.append(playout.frame(10.02 + number * 0.02))
    return frames


def test_what_came_is_played() -> None:
    """As it is, one packet after the other."""
    playout = begun()
    playout.put(160, SILENCE, Arrival.NEXT, 10.02)

    assert playout.frame(10.04) == LOUD
    assert playout.frame(10.06) == SILENCE
    assert playout.statistics.concealed_ms == 0


def test_one_packet_is_lost() -> None:
    """Something is made up for it, and nothing is late because of it."""
    playout = begun()
    playout.put(320, LOUD, Arrival.AHEAD, 10.04)

    frames = [playout.frame(10.04 + number * 0.02) for number in range(3)]

    assert frames[0] == LOUD
    assert frames[1] not in (SILENCE, LOUD)
    assert frames[2][80:] == LOUD[80:]
    assert playout.statistics.concealed_ms == 20


def test_the_network_stops_for_a_moment() -> None:
    """What comes late is played late: words are not lost while there is time to wait."""
    playout = begun()
    frames = [playout.frame(10.04 + number * 0.02) for number in range(4)]
    for number in (1, 2, 3, 4):
        playout.put(number * 160, LOUD, Arrival.NEXT, 10.11)

    frames += [playout.frame(10.12 + number * 0.02) for number in range(4)]

    assert frames[4][80:] == LOUD[80:]
    assert frames[5:] == [LOUD] * 3
    assert playout.statistics.late == 0
    assert playout.waiting_ms(10.20) == pytest.approx(100)


def test_and_catches_up_in_silence() -> None:
    """10 ms at a time, until it waits no longer than it has to."""
    playout = begun()
    for number in range(4):
        playout.frame(10.04 + number * 0.02)
    for number in range(1, 400):
        newest = number + 5  # of those that have come when a frame is due
        for sent in range(1 if number == 1 else newest, newest + 1):
            playout.put(sent * 160, SILENCE, Arrival.NEXT, max(10.11, 10.0 + sent * 0.02))
        playout.frame(10.10 + number * 0.02)

    assert playout.waiting_ms(18.10) < 45
    assert 40 <= playout.statistics.skipped_ms - playout.statistics.stretched_ms <= 80


def test_a_loud_voice_is_shortened_only_when_it_must() -> None:
    """A little too long is left as it is."""
    playout = begun()
    playout.frame(10.04)
    playout.frame(10.06)
    for number in range(1, 60):
        playout.put(number * 160, LOUD, Arrival.NEXT, max(10.07, 10.0 + number * 0.02))
        playout.frame(10.06 + number * 0.02)

    assert playout.statistics.skipped_ms == 0


def test_silence_is_stretched_when_more_time_is_needed() -> None:
    """Rather than a word."""
    playout = begun(Rules(first_ms=20))
    for number in range(1, 60):
        slow = 0.050 if number % 7 == 0 else 0.0
        arrival = Arrival.BEHIND if slow else Arrival.NEXT
        playout.put(number * 160, SILENCE, arrival, 10.0 + number * 0.02 + slow)
        playout.frame(10.0 + number * 0.02)

    assert playout.statistics.stretched_ms >= 10


def test_a_pause_is_silence() -> None:
    """The clock went on and no number is missing: there was nothing to hear."""
    playout = begun()
    frames = [playout.frame(10.04)]
    playout.put(160 * 3, LOUD, Arrival.NEXT, 10.06)

    frames += [playout.frame(10.06 + number * 0.02) for number in range(3)]

    assert frames == [LOUD, SILENCE, SILENCE, LOUD]
    assert playout.statistics.concealed_ms == 0


def test_a_voice_at_rest_is_not_made_up() -> None:
    """Comfort noise came, or a key: what is missing now is silence, to the bit."""
    playout = begun()
    playout.frame(10.04)
    playout.rest()

    assert [playout.frame(10.06 + number * 0.02) for number in range(5)] == [SILENCE] * 5
    assert playout.statistics.concealed_ms == 0


def test_a_stream_goes_on_elsewhere() -> None:
    """Timestamps that jump, forwards or back, cost nothing that was said."""
    for jump in (1_000_000, -1_000_000, 2**31 - 5):
        playout = begun()
        frames = [playout.frame(10.04)]
        for number in range(1, 6):
            timestamp = (number * 160 + jump) % 2**32
            playout.put(timestamp, LOUD, Arrival.NEXT, 10.0 + number * 0.02)
        frames += [playout.frame(10.06 + number * 0.02) for number in range(5)]

        assert frames == [LOUD] * 6
        assert playout.statistics.restarts == 1


def test_a_network_that_is_slower_from_now_on() -> None:
    """After a few late packets the clock is set anew, and the voice is there again."""
    playout = begun()
    go_on(playout, 1, 100, LOUD)
    heard = []
    for number in range(100, 160):
        due = 10.02 + number * 0.02
        heard.append(playout.frame(due))
        if number >= 130:
            playout.put((number - 30) * 160, LOUD, Arrival.NEXT, due)

    assert playout.statistics.late <= 5
    assert heard[-15:] == [LOUD] * 15


def test_a_long_sleep() -> None:
    """What should have been played meanwhile is over; what is due now is next."""
    playout = begun()
    playout.put(160, SILENCE, Arrival.NEXT, 10.02)
    playout.put(12_000, LOUD, Arrival.AHEAD, 11.5)

    playout.wake(11.54)

    assert playout.frame(11.54) == LOUD
    assert playout.statistics.skipped_ms == 1500


def test_the_other_law() -> None:
    """Silence is the format's own."""
    playout = Playout(ALAW_8K, Rules())
    playout.begin(0)
    playout.put(0, b"\x2a" * 160, Arrival.RESTART, 10.0)
    playout.frame(10.04)
    playout.rest()

    assert playout.frame(10.06) == b"\xd5" * 160


def test_a_new_one_counts_on() -> None:
    """After a long silence: nothing is known of the stream, and what was counted is kept."""
    playout = begun()
    playout.frame(10.04)

    fresh = playout.anew()

    assert fresh.statistics is playout.statistics
    assert fresh.delay_ms == 40
