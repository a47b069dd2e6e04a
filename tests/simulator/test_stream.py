"""The carrier's end of a media stream, without a socket."""

from __future__ import annotations

import json
from typing import Any

import pytest

from bridge.simulator.journal import Journal, What
from bridge.simulator.stream import CarrierStream, StreamIdentity
from bridge.wire.twilio import media
from tests.simulator.sounds import silence, tone

SID, CALL, ACCOUNT = "MZ1", "CA1", "AC1"
FRAME = silence(0.02)


class Wire:
    """A stream, and what it sent as JSON."""

    def __init__(self) -> None:
        self.journal = Journal(began=100.0)
        self.sent: list[dict[str, Any]] = []
        identity = StreamIdentity(SID, CALL, ACCOUNT, {"token": "t"})
        self.stream = CarrierStream(identity, self._send, self.journal)

    def _send(self, text: str) -> None:
        self.sent.append(json.loads(text))

    def violations(self) -> list[tuple[float, int]]:
        return [(violation.at, violation.code) for violation in self.journal.violations]


@pytest.fixture
def wire() -> Wire:
    wire = Wire()
    wire.stream.connect()
    wire.stream.start(100.0)
    return wire


def test_begins_as_twilio_does(wire: Wire) -> None:
    """Connected without a number, start with everything, and media counted from 1."""
    wire.stream.tick(100.02, b"\x00" * 160)
    wire.stream.press("5")
    wire.stream.tick(100.04, FRAME)

    ulaw = {"encoding": "audio/x-mulaw", "sampleRate": 8000, "channels": 1}
    start = {
        "streamSid": SID,
        "accountSid": ACCOUNT,
        "callSid": CALL,
        "tracks": ["inbound"],
        "mediaFormat": ulaw,
        "customParameters": {"token": "t"},
    }
    first = {"track": "inbound", "chunk": "1", "timestamp": "20", "payload": "A" * 214 + "=="}
    assert wire.sent[0] == {"event": "connected", "protocol": "Call", "version": "1.0.0"}
    assert wire.sent[1] == {
        "event": "start",
        "sequenceNumber": "1",
        "streamSid": SID,
        "start": start,
    }
    assert wire.sent[2]["sequenceNumber"] == "2"
    assert wire.sent[2]["media"] == first
    assert wire.sent[3] == {
        "event": "dtmf",
        "sequenceNumber": "3",
        "streamSid": SID,
        "dtmf": {"track": "inbound_track", "digit": "5"},
    }
    assert wire.sent[4]["sequenceNumber"] == "4"
    assert wire.sent[4]["media"]["chunk"] == "2"


def test_sends_back_marks_when_they_are_reached(wire: Wire) -> None:
    """A mark is echoed with the tick that reaches it, numbered like any other frame."""
    wire.stream.text(media.write_media(SID, tone(0.03)), 100.0)
    wire.stream.text(media.write_mark(SID, "said"), 100.0)
    wire.stream.tick(100.02, FRAME)
    wire.stream.tick(100.04, FRAME)

    kinds = [frame["event"] for frame in wire.sent[2:]]
    assert kinds == ["media", "mark", "media"]
    assert wire.sent[3] == {
        "event": "mark",
        "sequenceNumber": "3",
        "streamSid": SID,
        "mark": {"name": "said"},
    }
    assert wire.stream.marks == 1


def test_a_mark_with_nothing_before_it_comes_back_at_once(wire: Wire) -> None:
    """It does not wait for a tick."""
    wire.stream.text(media.write_mark(SID, "now"), 100.001)

    assert wire.sent[-1]["mark"] == {"name": "now"}


def test_clear_sends_all_marks_back_at_once(wire: Wire) -> None:
    """The audio is gone, and so nothing holds the marks."""
    wire.stream.text(media.write_media(SID, tone(1)), 100.0)
    wire.stream.text(media.write_mark(SID, "a"), 100.0)
    wire.stream.text(media.write_mark(SID, "b"), 100.0)
    wire.stream.text(media.write_clear(SID), 100.1)

    assert [frame["mark"]["name"] for frame in wire.sent[2:]] == ["a", "b"]
    assert wire.stream.clears == 1
    assert sum(len(span.audio) for span in wire.stream.playout.heard) == 800


def test_stops_as_twilio_does(wire: Wire) -> None:
    """The last frame names account and call; after it nothing is taken or sent."""
    wire.stream.stop(101.0)
    wire.stream.text(media.write_mark(SID, "late"), 101.1)
    wire.stream.text("nonsense", 101.2)

    assert wire.sent[-1] == {
        "event": "stop",
        "sequenceNumber": "2",
        "streamSid": SID,
        "stop": {"accountSid": ACCOUNT, "callSid": CALL},
    }
    assert wire.violations() == []


@pytest.mark.parametrize(
    ("message", "code"),
    [
        ("", 31951),
        ("hello", 31951),
        ("[]", 31951),
        ("{}", 31951),
        ('{"event":"start","streamSid":"MZ1"}', 31951),
        ('{"event":"stop","streamSid":"MZ1"}', 31951),
        ('{"event":"media","media":{"payload":"AAAA"}}', 31951),
        (media.write_media("MZ2", FRAME), 31951),
        (media.write_mark("MZ2", "a"), 31951),
        (media.write_clear("MZ2"), 31951),
        ('{"event":"media","streamSid":"MZ1"}', 31951),
        ('{"event":"media","streamSid":"MZ1","media":{"payload":7}}', 31951),
        ('{"event":"mark","streamSid":"MZ1","mark":{}}', 31951),
        ('{"event":"media","streamSid":"MZ1","media":{"payload":"AA A"}}', 31950),
        ('{"event":"media","streamSid":"MZ1","media":{"payload":"@@@@"}}', 31950),
        (media.write_media(SID, b"RIFF\x24\x00\x00\x00WAVEfmt "), 31950),
        (media.write_media(SID, b"ID3\x04"), 31950),
    ],
)
def test_wrong_messages_are_noted(wire: Wire, message: str, code: int) -> None:
    """Each with Twilio's warning and its time; the stream goes on."""
    wire.stream.text(message, 100.5)
    wire.stream.text(media.write_mark(SID, "still there"), 100.5)

    assert wire.violations() == [(0.5, code)]
    assert [moment.what for moment in wire.journal.moments].count(What.VIOLATION) == 1


def test_binary_is_noted(wire: Wire) -> None:
    """Media Streams is made of text frames."""
    wire.stream.binary(160, 100.5)

    assert wire.violations() == [(0.5, 31950)]


def test_nothing_may_come_before_the_start() -> None:
    """Not even a message that knows the streamSid."""
    wire = Wire()
    wire.stream.connect()

    wire.stream.text(media.write_media(SID, FRAME), 100.0)

    assert wire.violations() == [(0.0, 31951)]
    assert wire.stream.playout.heard == []


def test_wrong_audio_is_not_played(wire: Wire) -> None:
    """Media of another stream is not heard here."""
    wire.stream.text(media.write_media("MZ2", tone(1)), 100.0)
    wire.stream.advance(102.0)

    assert wire.stream.playout.heard == []


def test_more_than_ten_minutes_overflow_once(wire: Wire) -> None:
    """The warning is raised once, however often audio is dropped."""
    minute = bytes(60 * 8_000 // 20)
    for _ in range(220):
        wire.stream.text(media.write_media(SID, minute), 100.0)

    assert wire.violations() == [(0.0, 31931)]
    assert wire.stream.playout.queued_seconds == 600


def test_a_bridge_that_does_not_read_loses_audio(wire: Wire) -> None:
    """The chunk numbers tell what was dropped, and one warning is raised."""
    wire.stream.tick(100.02, FRAME)
    wire.stream.tick(100.04, FRAME, congested=True)
    wire.stream.tick(100.06, FRAME, congested=True)
    wire.stream.tick(100.08, FRAME)

    assert [frame["media"]["chunk"] for frame in wire.sent[2:]] == ["1", "4"]
    assert [frame["sequenceNumber"] for frame in wire.sent[2:]] == ["2", "3"]
    assert wire.violations() == [(0.04, 31930)]


def test_gaps_are_noted(wire: Wire) -> None:
    """Running dry in the middle of speech is a moment of the call."""
    wire.stream.text(media.write_media(SID, tone(0.1)), 100.0)
    wire.stream.text(media.write_media(SID, tone(0.1)), 100.3)

    gaps = [moment for moment in wire.journal.moments if moment.what is What.GAP]
    assert [(gap.at, gap.text) for gap in gaps] == [(0.3, "200 ms")]


def test_endless_violations_are_only_counted(wire: Wire) -> None:
    """A bridge that sends nothing but nonsense does not fill the memory."""
    for _ in range(1_000):
        wire.stream.text("nonsense", 100.0)

    assert wire.journal.violation_count == 1_000
    assert len(wire.journal.violations) == len(wire.journal.moments) == 200
