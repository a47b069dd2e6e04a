"""How long audio waits."""

from __future__ import annotations

from random import Random

from bridge.wire.rtp.delay import Delay

LEAST, FIRST, MOST = 160, 320, 960  # samples


def after(seconds: float, jitter: float, *, drift: float = 0.0) -> tuple[Delay, float]:
    """Packets of 20 ms with up to `jitter` seconds of delay, and when the last one was sent."""
    random, delay, sent = Random(3), Delay(LEAST, MOST, FIRST), 0.0
    for number in range(int(seconds * 50)):
        sent = 1000 + number * 0.020 / (1 + drift)
        delay.arrived(number * 160, sent + random.random() * jitter)
    return delay, sent


def test_as_long_as_the_slow_ones_need() -> None:
    """Within what it may: 20 to 120 ms."""
    assert after(5, 0.0)[0].target == LEAST
    assert after(5, 0.060)[0].target == 480
    assert after(5, 0.300)[0].target == MOST


def test_frames_need_packets_early() -> None:
    """A packet that begins in the middle of a frame is needed when the frame begins."""
    delay = Delay(LEAST, MOST, FIRST)
    for number in range(100):
        delay.arrived(number * 160 + 100, 1000 + number * 0.020 + (number % 2) * 0.020, early=100)

    assert delay.target == 320


def test_it_forgets() -> None:
    """Five quiet seconds after a storm it waits no longer."""
    delay, sent = after(5, 0.100)
    for number in range(500):
        delay.arrived((250 + number) * 160, sent + (number + 1) * 0.020)

    assert delay.target == LEAST


def test_another_clock_is_followed() -> None:
    """A thousandth faster or slower, for a minute: what is due is a few ms off at most."""
    for drift in (0.001, -0.001):
        delay, sent = after(60, 0.0, drift=drift)

        due = 2999 * 160 - delay.target
        assert abs(delay.position(sent) - due) < 80


def test_there_is_a_last_moment() -> None:
    """When what has not come is played without."""
    delay, sent = after(1, 0.0)

    assert round(delay.position(sent) - delay.latest(sent)) == MOST - LEAST
