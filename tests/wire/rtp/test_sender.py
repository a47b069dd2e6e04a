"""Our voice on RTP's clock."""

from __future__ import annotations

from itertools import pairwise

import pytest

from bridge.audio import g711
from bridge.audio.formats import ALAW_8K, ULAW_8K
from bridge.wire.rtp import events, packet
from bridge.wire.rtp.packet import Packet
from bridge.wire.rtp.payloads import Outgoing
from bridge.wire.rtp.sender import MAX_BURST, Sender
from tests.wire.rtp.line import KEYS, speech

SILENCE = b"\xff" * 160


def talking(audio: bytes = b"", outgoing: Outgoing | None = None, **options: bool) -> Sender:
    sender = Sender(ULAW_8K, ssrc=0xABCD, sequence=65_534, timestamp=0xFFFFFF00, **options)
    sender.agree(outgoing or Outgoing(events=KEYS))
    sender.start(10.0)
    sender.play(audio)
    return sender


def sent(sender: Sender, until: float) -> list[Packet]:
    """What leaves when every wake-up is on time."""
    packets: list[Packet] = []
    while sender.deadline is not None and sender.deadline <= until:
        packets += map(packet.read, sender.time_is_up(sender.deadline).packets)
    return packets


def test_audio_of_any_size_becomes_packets() -> None:
    """Numbers and timestamps go on through their wraps; the first packet bears the marker."""
    packets = sent(talking(b"a" * 250 + b"b" * 230), 10.05)

    assert [p.payload for p in packets] == [b"a" * 160, b"a" * 90 + b"b" * 70, b"b" * 160]
    assert [p.sequence for p in packets] == [65_534, 65_535, 0]
    assert [p.timestamp for p in packets] == [0xFFFFFF00, 0xFFFFFFA0, 0x40]
    assert [p.marker for p in packets] == [True, False, False]
    assert {p.ssrc for p in packets} == {0xABCD}


def test_silence_between_words() -> None:
    """Goes out as well, and the next word bears a marker."""
    sender = talking(b"a" * 200)
    first = sent(sender, 10.07)
    sender.play(b"b" * 160)
    second = sent(sender, 10.09)

    assert [p.payload for p in first[1:]] == [b"a" * 40 + b"\xff" * 120, SILENCE, SILENCE]
    assert [p.marker for p in second] == [True]


def test_silence_may_be_left_out() -> None:
    """Then timestamps go on, and numbers do not."""
    sender = talking(b"a" * 160, comfort=False)
    first = sent(sender, 10.99)
    sender.play(b"b" * 160)
    (second,) = sent(sender, 11.0)

    assert len(first) == 1
    assert second.sequence == 65_535
    assert (second.timestamp - first[0].timestamp) % 2**32 == 50 * 160
    assert second.marker


@pytest.mark.parametrize("ptime_ms", [10, 20, 30, 40, 60])
def test_packets_of_any_length(ptime_ms: int) -> None:
    """As the other end likes them."""
    packets = sent(talking(speech()[:9600], Outgoing(ptime_ms=ptime_ms)), 11.15)

    assert b"".join(p.payload for p in packets)[:9120] == speech()[:9120]
    assert {len(p.payload) for p in packets} == {ptime_ms * 8}
    assert {(b.timestamp - a.timestamp) % 2**32 for a, b in pairwise(packets)} == {ptime_ms * 8}


def test_the_other_law() -> None:
    """Audio in our format leaves as what was agreed on."""
    (first,) = sent(talking(speech()[:160], Outgoing(8, ALAW_8K)), 10.0)

    assert first.payload_type == 8
    assert first.payload == g711.ulaw_to_alaw(speech()[:160])


def test_an_agreement_may_change_in_the_middle() -> None:
    """From the next packet on, with no gap in the clock."""
    sender = talking(speech()[:1600])
    first = sent(sender, 10.03)
    sender.agree(Outgoing(8, ALAW_8K, ptime_ms=30))

    second = sent(sender, 10.10)

    assert (second[0].timestamp - first[-1].timestamp) % 2**32 == 160
    assert [len(p.payload) for p in second] == [240] * 3
    assert sender.deadline == pytest.approx(10.13)


def test_an_hour_does_not_drift() -> None:
    """Wake-ups are a little late, each; the hundred-and-eighty-thousandth packet is on time."""
    sender = talking()
    late, times, count = 0.0, [], 0
    while sender.deadline is not None and sender.deadline < 3610.0:
        times = [sender.deadline]
        late = (late + 0.0037) % 0.015
        count += len(sender.time_is_up(sender.deadline + late).packets)

    assert count == 180_000
    assert times == [pytest.approx(3609.98, abs=1e-6)]
    assert sender.timestamp(3610.0) == (0xFFFFFF00 + 3600 * 8000) % 2**32
    assert sender.skipped_ms == 0


def test_it_can_send_when_somebody_else_is_at_work() -> None:
    """A part of a packet's time later, once; numbers and timestamps go on as ever."""
    sender = talking(b"a" * 480)
    first = sent(sender, 10.0)
    sender.align(9.013)
    due = sender.deadline
    later = sent(sender, 10.06)

    assert due == pytest.approx(10.033)
    assert [p.sequence for p in first + later] == [65_534, 65_535, 0]
    assert [p.timestamp for p in later] == [0xFFFFFFA0, 0x40]
    assert sender.deadline == pytest.approx(10.073)


def test_before_the_start_there_is_nothing_to_align() -> None:
    sender = Sender(ULAW_8K, ssrc=1)
    sender.align(9.013)

    assert sender.deadline is None


def test_a_late_wake_up_is_made_up_for() -> None:
    """By a few packets at once; nothing of the voice is lost."""
    sender = talking(speech()[:1600])
    sent(sender, 10.0)

    burst = sender.time_is_up(10.065).packets

    assert len(burst) == 3
    assert b"".join(packet.read(data).payload for data in burst) == speech()[160:640]
    assert sender.deadline == pytest.approx(10.08)


def test_a_very_late_wake_up_is_a_pause() -> None:
    """The burst is bounded, and the clock goes on as if there had been silence."""
    sender = talking(speech()[:4800])
    (first,) = sent(sender, 10.0)

    burst = [packet.read(data) for data in sender.time_is_up(11.0).packets]

    assert len(burst) == MAX_BURST
    assert burst[0].payload == speech()[160:320]
    assert burst[0].marker
    assert (burst[-1].timestamp - first.timestamp) % 2**32 == 8000
    assert burst[-1].sequence == (first.sequence + MAX_BURST) % 2**16
    assert sender.skipped_ms == 900
    assert sender.deadline == pytest.approx(11.02)


def test_barge_in() -> None:
    """The next packet after a clear is silent, and the marks come back at once."""
    sender = talking(b"a" * 800)
    sender.mark("one")
    sender.play(b"b" * 800, "two")
    sent(sender, 10.05)

    marks = sender.clear()
    after = sent(sender, 10.07)

    assert marks == ["one", "two"]
    assert [p.payload for p in after] == [SILENCE]
    assert sender.queued_ms == 0
    assert sender.time_is_up(10.5).marks == []


def test_marks_are_told_when_they_were_heard() -> None:
    """At the wake-up at which the clock has passed them, never before."""
    sender = talking(b"a" * 320)
    sender.mark("whole")
    sender.play(b"b" * 40)
    sender.mark("part")
    told = {}
    while sender.deadline is not None and sender.deadline < 10.2:
        now = sender.deadline
        told.update(dict.fromkeys(sender.time_is_up(now).marks, round(now, 3)))

    assert told == {"whole": 10.04, "part": 10.06}


def test_a_mark_on_silence() -> None:
    """Comes at the next wake-up."""
    sender = talking()
    sent(sender, 10.03)
    sender.mark("now")

    assert sender.time_is_up(10.04).marks == ["now"]


def test_where_the_caller_is() -> None:
    """In the voice, by RTP's clock; silence does not count, nor what was cleared."""
    sender = talking(b"a" * 800)
    sent(sender, 10.02)

    assert sender.played_ms(10.03) == 30
    assert sender.queued_ms == 60
    sender.clear()
    sent(sender, 10.5)
    assert sender.played_ms(10.5) == 40


def test_keys() -> None:
    """Audio waits, the timestamp of a press stands still, the end comes three times."""
    sender = talking(speech()[:1600])
    sent(sender, 10.0)

    assert sender.press("1#")
    packets = sent(sender, 10.43)

    keys = [p for p in packets if p.payload_type == KEYS]
    one, pound = keys[:7], keys[7:]
    assert [events.read(p.payload).duration for p in one] == [160, 320, 480, 640, 800, 800, 800]
    assert {p.timestamp for p in one} == {0xFFFFFFA0}
    assert {p.timestamp for p in pound} == {(0xFFFFFFA0 + 1600) % 2**32}
    assert [p.marker for p in one] == [True] + [False] * 6
    assert {events.read(p.payload).number for p in pound} == {11}
    # 200 ms for a key and its pause; then the voice goes on where it stopped.
    voice = packets[20]
    assert voice.payload == speech()[160:320]
    assert voice.marker
    assert [(b.sequence - a.sequence) % 2**16 for a, b in pairwise(packets)] == [1] * 20


def test_what_we_press_is_what_others_read() -> None:
    """Both ends of the protocol, tied together."""
    sender, presses = talking(), events.Presses()
    sender.press("0123456789*#ABCD", press_ms=80)

    heard = "".join(
        presses.take(p.timestamp, events.read(p.payload), marker=p.marker)
        for p in sent(sender, 14.0)
        if p.payload_type == KEYS
    )

    assert heard == "0123456789*#ABCD"


def test_keys_that_nobody_takes() -> None:
    """Are not sent, and the carrier has to find another way."""
    sender = talking(outgoing=Outgoing(events=None))

    assert not sender.press("1")
    assert not talking().press("1" * 65)
    with pytest.raises(ValueError, match="substring"):
        talking().press("?")


def test_on_hold_the_voice_waits() -> None:
    """No packets; afterwards it goes on where it was, at the right time of the clock."""
    sender = talking(speech()[:800])
    (first,) = sent(sender, 10.0)
    sender.agree(Outgoing(sends=False))
    assert sent(sender, 10.5) == []
    sender.agree(Outgoing())

    second, *_ = sent(sender, 10.6)

    assert second.payload == speech()[160:320]
    assert second.marker
    assert (second.timestamp - first.timestamp) % 2**32 == 26 * 160


def test_before_the_start_nothing_is_due() -> None:
    """And nothing comes of a wake-up, or of one too early."""
    sender = Sender(ULAW_8K, ssrc=1)
    assert sender.deadline is None
    assert sender.time_is_up(5.0) == ([], [])

    sender.start(6.0)

    assert sender.time_is_up(5.9) == ([], [])


def test_what_was_sent_is_counted() -> None:
    """For the reports of RTCP: packets, and octets of payload."""
    sender = talking()
    sent(sender, 10.99)

    assert (sender.packets, sender.octets) == (50, 8000)
    assert sender.dropped == 0
