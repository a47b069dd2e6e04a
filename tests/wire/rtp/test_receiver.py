"""The other end's voice: packets as they come, frames by our clock."""

from __future__ import annotations

import os
from random import Random

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bridge.audio import g711
from bridge.audio.formats import ALAW_8K, ULAW_8K
from bridge.wire.rtp import events, packet
from bridge.wire.rtp.latch import Latch
from bridge.wire.rtp.payloads import Payloads
from bridge.wire.rtp.receiver import Receiver, Rules
from tests.wire.rtp.line import (
    KEYS,
    PHONE,
    SSRC,
    STRANGER,
    Line,
    best_match,
    datagram,
    receiver,
    similarity,
    sound,
    speech,
    through,
)

EXAMPLES = int(os.environ.get("RTP_EXAMPLES", "60"))
SILENCE = b"\xff" * 160


@pytest.mark.parametrize("ptime_ms", [10, 20, 30, 60])
def test_a_clean_line(ptime_ms: int) -> None:
    """Whatever the packets are cut like, the frames are what was said, to the bit."""
    said = speech()[: 480 * 100]

    heard = through(receiver(), Line(ptime_ms=ptime_ms).carry(said))

    assert heard.startswith(said)
    assert len(heard) % 160 == 0


def test_the_other_law() -> None:
    """Frames are in the leg's format, whatever was agreed on."""
    alaw = g711.ulaw_to_alaw(speech()[:16_000])

    heard = through(receiver(), Line(payload_type=8).carry(alaw))

    assert heard.startswith(g711.alaw_to_ulaw(alaw))
    assert through(receiver(ALAW_8K), Line(payload_type=8).carry(alaw)).startswith(alaw)


def test_frames_come_by_our_clock() -> None:
    """The first after 40 ms, then every 20 ms, however many packets came."""
    ear = receiver()
    assert ear.deadline is None
    assert ear.time_is_up(10.0) == []
    for number in range(5):
        ear.receive(datagram(number), PHONE, 10.0)

    assert ear.deadline == pytest.approx(10.04)
    assert ear.time_is_up(10.03) == []
    assert len(ear.time_is_up(10.041)) == 1
    assert len(ear.time_is_up(10.105)) == 3
    assert ear.deadline == pytest.approx(10.12)


def test_a_long_sleep_is_not_made_up_for() -> None:
    """A second of frames at once is the most; then the clock begins anew."""
    ear = receiver()
    ear.receive(datagram(0), PHONE, 10.0)

    assert len(ear.time_is_up(17.0)) == 1
    assert ear.deadline == pytest.approx(17.02)


@pytest.mark.parametrize("ptime_ms", [20, 30])
def test_a_bad_line(ptime_ms: int) -> None:
    """A fifth is lost, the rest comes up to 60 ms late and in disorder: it is still the voice."""
    said, ear = speech(), receiver()

    heard = through(ear, Line(ptime_ms, loss=0.2, jitter=0.060).carry(said))

    counted = ear.statistics()
    concealed = counted.concealed_ms / counted.played_ms
    assert 0.15 < concealed < 0.25
    assert counted.late <= 5
    assert similarity(said, heard) > 0.87
    assert 50 <= ear.delay_ms <= 80
    assert abs(best_match(said, heard)) < 800


def test_jitter_alone_costs_almost_nothing() -> None:
    """Once it is known how much there is."""
    said, ear = speech(), receiver()

    heard = through(ear, Line(jitter=0.060).carry(said))

    assert similarity(said, heard) > 0.98
    assert ear.statistics().concealed_ms < 200
    assert ear.statistics().lost == 0
    assert 15 < ear.statistics().jitter_ms < 35


def test_what_is_made_up_is_a_voice() -> None:
    """Where packets are missing it is as loud as a voice, and not as silence."""
    said = speech()
    heard = through(receiver(), Line(loss=0.1, random=Random(11)).carry(said))

    begins = best_match(said, heard)
    wanted, got = (sound(part[8000:40_000]) for part in (said, heard[begins:]))
    lost = np.abs(wanted - got).reshape(-1, 160).max(axis=1) > 0
    loud = np.abs(wanted).reshape(-1, 160).mean(axis=1) > 600
    pieces = lost & loud

    assert pieces.sum() > 5
    volume = [np.abs(part.reshape(-1, 160)[pieces]).mean() for part in (wanted, got)]
    assert volume[1] / volume[0] > 0.5


@pytest.mark.parametrize("drift", [0.0002, -0.0002])
def test_an_hour_of_another_clock(drift: float) -> None:
    """Two ten-thousandths are 0.7 s in an hour; nobody waits for them, and no word is lost."""
    said = (speech()[:71_520] + SILENCE * 53) * 360  # ten seconds, an hour long
    ear, waiting = receiver(), []
    line = Line(ptime_ms=60, drift=drift, jitter=0.010)
    for number, (now, data) in enumerate(line.carry(said)):
        while ear.deadline is not None and ear.deadline <= now:
            ear.time_is_up(ear.deadline)
        ear.receive(data, PHONE, now)
        if number % 100 == 50:
            waiting.append(ear.waiting_ms(now))

    counted = ear.statistics()
    assert max(waiting) < 80
    assert min(waiting) > 0
    assert counted.late == counted.lost == 0
    assert counted.concealed_ms < 500
    assert 500 < (counted.skipped_ms if drift > 0 else counted.stretched_ms) < 1100


def test_twice_and_astray() -> None:
    """Copies and packets from nowhere are counted, and not heard."""
    ear = receiver()
    for number in (0, 1, 1, 2, 30_000, 3):
        ear.receive(datagram(number, timestamp=(number % 10) * 160), PHONE, 10.0)

    counted = ear.statistics()
    assert (counted.received, counted.duplicate, counted.astray, counted.lost) == (6, 1, 1, 0)


def test_another_source_goes_on() -> None:
    """A transfer in the carrier's network: new SSRC, new numbers, and the next word is heard."""
    ear, words = receiver(), speech()
    first = [(10 + n * 0.02, datagram(n, words[n * 160 : n * 160 + 160])) for n in range(50)]
    second = [
        (11 + n * 0.02, datagram(n + 7, words[(n + 49) * 160 : (n + 50) * 160], ssrc=9))
        for n in range(50)
    ]

    heard = through(ear, first + second)

    assert ear.statistics().restarts == 1
    assert ear.statistics().astray == 1
    assert words[51 * 160 : 98 * 160] in heard
    assert ear.source is not None
    assert ear.source.ssrc == 9


def test_one_packet_of_another_source_changes_nothing() -> None:
    """It has to say two words before it is believed."""
    ear = receiver()
    ear.receive(datagram(0), PHONE, 10.0)
    ear.receive(datagram(77, ssrc=9), PHONE, 10.01)
    ear.receive(datagram(1), PHONE, 10.02)
    ear.receive(datagram(300, ssrc=9), PHONE, 10.03)

    assert ear.source is not None
    assert ear.source.ssrc == SSRC


def test_a_stranger_is_not_heard() -> None:
    """Nor are packets of codecs that nobody agreed on, or bytes that are none."""
    ear = receiver()
    ear.receive(datagram(0), PHONE, 10.0)
    ear.receive(datagram(1, b"\x00" * 160), STRANGER, 10.01)
    ear.receive(datagram(1, b"x", payload_type=18), PHONE, 10.02)
    ear.receive(b"hello", PHONE, 10.03)

    counted = ear.statistics()
    assert (counted.strangers, counted.unknown, counted.malformed) == (1, 1, 1)
    assert ear.time_is_up(10.05) == [SILENCE]


def pressed(ear: Receiver, first: int, timestamp: int, digit: str, now: float) -> str:
    payloads = events.Press(digit, 800).payloads(160)
    return "".join(
        ear.receive(
            datagram(first + n, payload, timestamp=timestamp, payload_type=KEYS, marker=n == 0),
            PHONE,
            now + n * 0.02,
        )
        for n, payload in enumerate(payloads)
    )


def test_keys_are_told_once_and_are_silent() -> None:
    """The voice pauses meanwhile, and is heard again afterwards."""
    ear = receiver()
    for number in range(5):
        ear.receive(datagram(number, speech()[:160]), PHONE, 10 + number * 0.02)
    ear.time_is_up(10.10)

    digits = pressed(ear, 5, 800, "7", 10.10)
    ear.receive(datagram(12, speech()[160:320], timestamp=800 + 7 * 160), PHONE, 10.24)
    frames = ear.time_is_up(10.29)

    assert digits == "7"
    assert frames.count(SILENCE) >= 5
    assert frames[-1] == speech()[160:320]
    assert ear.statistics().concealed_ms == 0


def test_a_key_that_is_none() -> None:
    """Is counted."""
    ear = receiver()

    assert ear.receive(datagram(0, b"\x01", payload_type=KEYS), PHONE, 10.0) == ""
    assert ear.statistics().malformed == 1


def test_comfort_noise_is_silence() -> None:
    """Who suppresses silence is not made up, and its next word comes at its time."""
    ear, word = receiver(), speech()[9600:9760]
    ear.receive(datagram(0, word), PHONE, 10.0)
    ear.receive(datagram(1, b"\x40", payload_type=13), PHONE, 10.02)
    ear.receive(datagram(2, word, timestamp=50 * 160, marker=True), PHONE, 11.0)

    frames = ear.time_is_up(10.99) + ear.time_is_up(11.05)

    assert frames[0] == word
    assert set(frames[1:-1]) == {SILENCE}
    assert frames[-1] == word
    assert len(frames) == 51
    assert ear.statistics().concealed_ms == 0


def test_nobody_is_there_any_more() -> None:
    """Silence for as long as the rules say, then no frames; and a packet begins anew."""
    ear = receiver(rules=Rules(silence_seconds=5.0))
    assert ear.silent_for(9.0) is None
    ear.receive(datagram(0), PHONE, 10.0)
    last = 0.0
    while ear.deadline is not None:
        last = ear.deadline
        ear.time_is_up(last)

    assert last == pytest.approx(15.02, abs=0.03)
    assert ear.silent_for(20.0) == 10.0
    ear.receive(datagram(1, speech()[:160]), PHONE, 20.0)
    assert ear.time_is_up(20.04) == [speech()[:160]]


def test_an_agreement_may_change() -> None:
    """New numbers, a new address: both are plain attributes."""
    ear = Receiver(ULAW_8K, Payloads(), Latch(PHONE))
    ear.payloads = Payloads({97: ULAW_8K})
    ear.latch.expect(STRANGER)

    ear.receive(datagram(0, payload_type=97), STRANGER, 10.0)
    ear.receive(datagram(1, payload_type=0), STRANGER, 10.0)

    assert ear.statistics().received == 1
    assert ear.latch.target == STRANGER


PACKETS = st.tuples(
    st.integers(0, 127) | st.sampled_from([0, 0, 8, 13, KEYS]),
    st.integers(0, 0xFFFF) | st.integers(0, 20),
    st.integers(0, 0xFFFFFFFF) | st.integers(0, 4000),
    st.sampled_from([SSRC, SSRC, 9]),
    st.integers(0, 700),
    st.sampled_from([0.0, 0.02, 0.02, 0.1, 3.0, 40.0]),
)


@settings(max_examples=EXAMPLES, deadline=None)
@given(st.lists(PACKETS, max_size=40))
def test_whatever_comes(packets: list[tuple[int, int, int, int, int, float]]) -> None:
    """Frames of 20 ms at their time, bounded memory, and never an exception."""
    ear, now = receiver(), 10.0
    for payload_type, sequence, timestamp, ssrc, size, pause in packets:
        audio = speech()[:size]
        ear.receive(packet.write(payload_type, sequence, timestamp, ssrc, audio), PHONE, now)
        now += pause
        frames = ear.time_is_up(now)

        assert all(len(frame) == 160 for frame in frames)
        assert len(frames) <= 51
        assert ear.deadline is None or now < ear.deadline <= now + 0.041
        assert -1000 < ear.waiting_ms(now) < 4000
