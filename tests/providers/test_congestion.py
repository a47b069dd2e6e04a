"""Audio that the network does not take is dropped, a burst is not."""

from __future__ import annotations

from bridge.audio.formats import PCM16_24K, ULAW_8K
from bridge.providers.congestion import PATIENCE, Congestion

SECOND = 8_000 * 5 // 3  # bytes that a second of mu-law takes on the wire


def test_a_network_that_takes_everything() -> None:
    """Nothing waits, everything goes."""
    congestion = Congestion(ULAW_8K)

    assert all(congestion.admits(0, now) for now in range(100))


def test_two_seconds_may_wait() -> None:
    """However long they do."""
    congestion = Congestion(ULAW_8K)

    assert all(congestion.admits(2 * SECOND, now) for now in range(100))


def test_what_stays_stuck_is_not_added_to() -> None:
    """Beyond two seconds of audio there is one second's patience."""
    congestion = Congestion(ULAW_8K)

    assert congestion.admits(3 * SECOND, now=10.0)
    assert congestion.admits(3 * SECOND, now=10.0 + PATIENCE)
    assert not congestion.admits(3 * SECOND, now=10.1 + PATIENCE)


def test_a_burst_goes_through() -> None:
    """What a handover held back waits for a moment, and is gone."""
    congestion = Congestion(ULAW_8K)

    assert congestion.admits(5 * SECOND, now=10.0)
    assert congestion.admits(SECOND, now=10.9)
    assert congestion.admits(5 * SECOND, now=20.0)


def test_a_network_that_took_everything_at_last() -> None:
    """What is stuck later has its second of patience anew."""
    congestion = Congestion(ULAW_8K)
    assert congestion.admits(3 * SECOND, now=10.0)

    assert congestion.admits(0, now=12.0)

    assert congestion.admits(3 * SECOND, now=20.0)


def test_a_burst_has_its_bound() -> None:
    """More than ten seconds never wait."""
    assert not Congestion(ULAW_8K).admits(11 * SECOND, now=0.0)


def test_seconds_are_of_the_session_s_format() -> None:
    """PCM at 24 kHz takes six times the bytes."""
    assert Congestion(PCM16_24K).admits(11 * SECOND, now=0.0)
