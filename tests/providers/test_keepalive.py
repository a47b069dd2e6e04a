"""A silent peer is pinged, a talking one left alone, a dead one noticed in time."""

from __future__ import annotations

from bridge.providers.keepalive import GRACE, Keepalive, Pulse


def test_nothing_happens_before_the_interval() -> None:
    """Waking early costs nothing and pings nobody."""
    keepalive = Keepalive(20, 20, now=0)

    assert keepalive.wake(19.9) is Pulse.WAIT
    assert keepalive.deadline == 20


def test_a_peer_that_says_nothing_but_answers() -> None:
    """One ping an interval, as long as something comes back."""
    keepalive = Keepalive(20, 20, now=0)
    pings = []
    for _ in range(6):
        now = keepalive.deadline
        if keepalive.wake(now) is Pulse.PING:
            pings.append(now)
            keepalive.heard = True

    assert pings == [20, 40, 60]


def test_a_peer_that_talks_is_left_alone() -> None:
    """It is alive, and the path is open."""
    keepalive = Keepalive(2, 2, now=0)
    for _ in range(20):
        keepalive.heard = True

        assert keepalive.wake(keepalive.deadline) is Pulse.WAIT


def test_a_peer_that_falls_silent_is_pinged_after_an_interval() -> None:
    """At the latest: it may have said its last word right after a look."""
    keepalive = Keepalive(2, 2, now=0)
    keepalive.wake(2)
    keepalive.heard = True
    while keepalive.wake(keepalive.deadline) is not Pulse.PING:
        pass

    assert keepalive.deadline - 1 == 4


def test_a_peer_that_does_not_answer_is_dead_after_the_timeout() -> None:
    """The ping at 20 s is judged at 25 s and a moment."""
    keepalive = Keepalive(20, 5, now=0)

    assert keepalive.wake(20) is Pulse.PING
    assert keepalive.wake(25) is Pulse.WAIT
    assert keepalive.wake(25 + GRACE) is Pulse.DEAD


def test_anything_that_is_heard_counts_as_an_answer() -> None:
    """A burst of audio may hold the pong up; the peer is alive all the same."""
    keepalive = Keepalive(20, 5, now=0)
    keepalive.wake(20)
    keepalive.heard = True

    assert keepalive.wake(25) is Pulse.WAIT
    assert keepalive.wake(35) is Pulse.PING


def test_what_arrived_while_we_were_late_is_read_before_we_judge() -> None:
    """A loop that was held up finds the pong in its socket only after its timers."""
    keepalive = Keepalive(2.5, 2.5, now=0)
    keepalive.wake(2.5)
    keepalive.wake(9)
    keepalive.heard = True

    assert keepalive.wake(keepalive.deadline) is Pulse.WAIT
    assert keepalive.wake(keepalive.deadline) is Pulse.PING


def test_a_death_right_after_a_pong_is_noticed_within_two_intervals() -> None:
    """With 2.5 s and 2.5 s a half-open connection is known as such after 5 s."""
    keepalive = Keepalive(2.5, 2.5, now=0)
    keepalive.wake(2.5)
    keepalive.heard = True
    while (pulse := keepalive.wake(keepalive.deadline)) is not Pulse.DEAD:
        assert pulse in {Pulse.PING, Pulse.WAIT}

    assert keepalive.deadline - 2.51 <= 5 + GRACE


def test_a_timeout_longer_than_the_interval() -> None:
    """A ping that is still under way is waited for, not followed by another."""
    keepalive = Keepalive(2, 5, now=0)
    seen = {}
    for _ in range(5):
        now = keepalive.deadline
        seen[now] = keepalive.wake(now)

    assert list(seen)[:3] == [2, 3, 7]
    assert seen[7 + GRACE] is Pulse.DEAD


def test_without_a_timeout_nobody_is_judged() -> None:
    """Pings then only keep the path open."""
    keepalive = Keepalive(20, None, now=0)

    assert [keepalive.wake(now) for now in (20, 40, 60)] == [Pulse.PING] * 3
