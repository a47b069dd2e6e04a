"""Reports: when, what, and what theirs say of us."""

from __future__ import annotations

import pytest

from bridge.audio.formats import ULAW_8K
from bridge.wire.rtp import rtcp
from bridge.wire.rtp.control import Control
from bridge.wire.rtp.receiver import Receiver
from bridge.wire.rtp.sender import Sender
from tests.wire.rtp.line import PHONE, SSRC, datagram, receiver

OURS = 0xABCD


def call(random: float = 0.5) -> tuple[Control, Sender, Receiver]:
    sender, ear = Sender(ULAW_8K, ssrc=OURS, timestamp=1000), receiver()
    control = Control(sender, ear, "r4nd0m", lambda: random)
    control.start(100.0)
    sender.start(100.0)
    return control, sender, ear


def report(control: Control, now: float) -> list[rtcp.Rtcp]:
    data = control.time_is_up(now)
    assert data is not None
    return rtcp.read(data)


def theirs(ntp: int, *, last: int = 0, since: int = 0, ssrc: int = OURS) -> bytes:
    block = rtcp.Report(ssrc, 64, 12, 70_000, 80, last, since)
    return rtcp.write([rtcp.SenderReport(SSRC, rtcp.SenderInfo(ntp, 0, 1, 160), (block,))])


@pytest.mark.parametrize(("random", "seconds"), [(0.0, 2.05), (0.5, 4.10), (1.0, 6.16)])
def test_reports_are_spread(random: float, seconds: float) -> None:
    """From half to one and a half of five seconds, compensated; the first after half of it."""
    control, *_ = call(random)

    assert control.deadline == pytest.approx(100 + seconds / 2, abs=0.01)
    assert control.time_is_up(100.1) is None
    report(control, 110.0)
    assert control.deadline == pytest.approx(110 + seconds, abs=0.01)


def test_who_sends_reports_as_a_sender() -> None:
    """With its clock and its counts; who has not sent since the last one does not."""
    control, sender, _ = call()
    sender.time_is_up(100.02)

    (first, names), (second, _) = report(control, 104.0), report(control, 110.0)

    assert isinstance(first, rtcp.SenderReport)
    assert first.info == rtcp.SenderInfo(104 << 32, 1000 + 4 * 8000, 2, 320)
    assert names == rtcp.SourceDescription(((OURS, "r4nd0m"),))
    assert second == rtcp.ReceiverReport(OURS)


def test_what_was_lost_is_reported() -> None:
    """Of the one who is heard, since the last time and since the start."""
    control, _, ear = call()
    for number in (1, 2, 4):
        ear.receive(datagram(number), PHONE, 100 + number * 0.02)

    first, *_ = report(control, 104.0)

    assert isinstance(first, rtcp.ReceiverReport)
    assert first.reports == (rtcp.Report(SSRC, 64, 1, 4, 0),)


def test_their_report_comes_back_in_ours() -> None:
    """The middle of its time, and how long ago it came: they reckon the round trip by it."""
    control, _, ear = call()
    ear.receive(datagram(1), PHONE, 100.0)
    control.receive(theirs(0x1234_5678_9ABC_DEF0), 103.0)

    first, *_ = report(control, 104.5)

    assert isinstance(first, rtcp.ReceiverReport)
    assert first.reports[0].last_report == 0x5678_9ABC
    assert first.reports[0].since_last_report == 98_304


def test_the_example_of_the_round_trip() -> None:
    """Section 6.4.1: reported at 0xb705:2000, held for 5.25 s, back at 0xb710:8000: 6.125 s."""
    control, *_ = call()

    control.receive(theirs(1, last=0xB705_2000, since=0x0005_4000), float(0xB710) + 0.5)

    assert control.quality.round_trip_ms == pytest.approx(6125)


def test_how_they_hear_us() -> None:
    """By the last report that is about us; those about others count for nothing."""
    control, *_ = call()
    control.receive(theirs(1), 101.0)
    control.receive(theirs(1, ssrc=5), 102.0)
    control.receive(theirs(1, last=103 << 16), 102.0)

    quality = control.quality
    assert (quality.reports, quality.lost, quality.fraction_lost) == (2, 12, 0.25)
    assert quality.jitter_ms == 10
    # Reported before it was sent: somebody reckons wrongly, and it is no round trip.
    assert quality.round_trip_ms is None


def test_goodbye() -> None:
    """Theirs is noticed if it is theirs; ours is the last thing that is due."""
    control, _, ear = call()
    ear.receive(datagram(1), PHONE, 100.0)
    left = []
    for ssrc in (7, SSRC):
        control.receive(rtcp.write([rtcp.ReceiverReport(ssrc), rtcp.Bye((ssrc,), "done")]), 101.0)
        left.append(control.left)

    last = rtcp.read(control.bye(103.0))

    assert left == [False, True]
    assert last[-1] == rtcp.Bye((OURS,))
    assert control.deadline is None
    assert control.time_is_up(200.0) is None


def test_nonsense_is_counted() -> None:
    """And changes nothing."""
    control, *_ = call()

    control.receive(b"\x80\xc9 nonsense", 101.0)

    assert control.quality.malformed == 1
