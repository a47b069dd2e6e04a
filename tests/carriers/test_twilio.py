"""A Twilio leg, told everything that a socket can bring."""

from __future__ import annotations

import base64
import json
import logging
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bridge.audio.formats import ULAW_8K
from bridge.audio.tones import tones
from bridge.carriers.twilio import BAD_FRAMES_QUOTA, MAX_BUFFERED_SIZE, TwilioLeg
from bridge.errors import Ending, Fault
from bridge.ports import leg
from bridge.wire.twilio import media

SID, CALL, ACCOUNT = "MZ" + "d" * 32, "CA" + "c" * 32, "AC" + "a" * 32
START = media.Start(SID, ACCOUNT, CALL, {"token": "T-1"})
STARTED = leg.Started(CALL, ULAW_8K, {"token": "T-1"})
HUNG_UP = leg.Ended(Ending(Fault.CALLER, "hangup"))
FRAME = b"\xff" * 160
GARBAGE = "garbage"


class Line:
    """A leg with the outlet and the clock that it is given, and what it made of them."""

    def __init__(self, *, listening: bool = True) -> None:
        self.writes: list[tuple[str, ...]] = []
        self.closed: list[int] = []
        self.told: list[leg.LegEvent] = []
        self.waiting = 0
        self.clogged = True
        self.now = 100.0
        self.leg = TwilioLeg(self, lambda: self.now)
        if listening:
            self.leg.attach(self.told.append)

    def write(self, text: str) -> None:
        self.writes.append((text,))

    def write_audio(self, before: bytes, audio: bytes, behind: bytes, then: str) -> None:
        text = (before + base64.b64encode(audio) + behind).decode()
        self.writes.append((text, then) if then else (text,))

    def buffered(self) -> int:
        return self.waiting

    def close(self, code: int) -> None:
        self.closed.append(code)

    def say(self, *events: media.TwilioEvent) -> None:
        for event in events:
            self.leg.receive(media.write_event(event))

    @property
    def sent(self) -> list[str]:
        return [text for texts in self.writes for text in texts]

    @property
    def commands(self) -> list[media.TwilioCommand]:
        return [media.read_command(text) for text in self.sent]


def started() -> Line:
    line = Line()
    line.say(media.Connected(), START)
    line.told.clear()
    return line


def test_a_call_is_told_as_it_happens() -> None:
    line = Line()
    line.say(
        media.Connected(),
        START,
        media.Media(SID, FRAME, chunk=1),
        media.Dtmf(SID, "#"),
        media.Mark(SID, "e1:20"),
        media.Stop(SID, ACCOUNT, CALL),
    )

    assert line.told == [
        STARTED,
        leg.Heard(FRAME),
        leg.Digit("#"),
        leg.Played("e1:20"),
        HUNG_UP,
    ]
    assert line.leg.start == START
    assert not line.leg.bad_frames


def test_events_wait_for_a_listener() -> None:
    """The token of the start is judged before anybody may listen."""
    line = Line(listening=False)
    line.say(START, media.Media(SID, FRAME))

    line.leg.attach(line.told.append)

    assert line.told == [STARTED, leg.Heard(FRAME)]
    assert line.leg.unheard == 0


def test_commands_become_frames() -> None:
    line = started()
    door: leg.Leg = line.leg
    door.do(leg.Play(FRAME))
    door.do(leg.Play(FRAME, "e1:20"))
    door.do(leg.Clear())

    assert line.commands == [
        media.SendMedia(SID, FRAME),
        media.SendMedia(SID, FRAME),
        media.SendMark(SID, "e1:20"),
        media.SendClear(SID),
    ]


def test_audio_and_its_mark_are_written_at_once() -> None:
    """Each write may be a system call."""
    line = started()
    line.leg.do(leg.Play(FRAME, "e1:20"))

    assert [len(texts) for texts in line.writes] == [2]


def test_keys_are_tones() -> None:
    """Media Streams has no command for them."""
    line = started()
    line.leg.do(leg.Press("4#"))

    assert line.commands == [media.SendMedia(SID, tones("4#"))]


def test_before_the_start_there_is_nobody_to_speak_to() -> None:
    line = Line()
    line.leg.do(leg.Play(FRAME, "m"))
    line.leg.do(leg.Clear())

    assert line.sent == []


def test_no_audio_is_no_frame() -> None:
    line = started()
    line.leg.do(leg.Play(b""))
    line.say(media.Media(SID, b""))

    assert line.sent == []
    assert line.told == []


@pytest.mark.parametrize("verdict", [leg.Hangup(), leg.Transfer("+4930901820")])
def test_after_the_finish_nothing_is_sent_or_heard(verdict: leg.Verdict) -> None:
    """The verdict is carried out by the answer to Twilio's next request."""
    line = started()
    line.leg.do(leg.Finish(verdict))
    line.leg.do(leg.Play(FRAME))
    line.leg.do(leg.Finish(verdict))
    line.say(media.Media(SID, FRAME), media.Stop(SID))

    assert line.closed == [1000]
    assert line.sent == []
    assert line.told == []

    line.leg.disconnected(1000)

    assert line.told == [leg.Ended(Ending(Fault.NOBODY, "finished"))]
    assert line.leg.ended


def test_a_leg_may_be_finished_before_it_starts() -> None:
    line = Line()
    line.leg.do(leg.Finish(leg.Hangup()))

    assert line.closed == [1000]


def test_a_stop_ends_the_leg_once() -> None:
    line = started()
    line.say(media.Stop(SID), media.Stop(SID), media.Media(SID, FRAME))
    line.leg.disconnected(1000)

    assert line.told == [HUNG_UP]
    assert line.closed == [1000]


@pytest.mark.parametrize("code", [1000, 1001, 1006])
def test_a_broken_connection_is_not_the_end_of_the_call(code: int) -> None:
    """The caller may still be there: Twilio asks the action what to do."""
    line = started()
    line.leg.disconnected(code)
    line.leg.disconnected(code)
    line.say(media.Media(SID, FRAME))
    line.leg.do(leg.Play(FRAME))

    detail = f"the media stream was closed with code {code}"
    assert line.told == [leg.Ended(Ending(Fault.CARRIER, "lost", detail), lost=True)]
    assert line.sent == []
    assert line.closed == []


@pytest.mark.parametrize(
    "format",
    [
        media.MediaFormat("audio/x-alaw", 8000, 1),
        media.MediaFormat("audio/x-mulaw", 16000, 1),
        media.MediaFormat("audio/x-mulaw", 8000, 2),
    ],
)
def test_audio_that_we_cannot_hear_is_refused(format: media.MediaFormat) -> None:
    """It is no use to come back with the same audio, so nothing is lost."""
    line = Line()
    line.say(media.Start(SID, ACCOUNT, CALL, format=format), media.Media(SID, FRAME))

    (ended,) = line.told
    assert isinstance(ended, leg.Ended)
    assert ended.ending.reason == "unsupported-format"
    assert not ended.lost
    assert line.closed == [1003]
    assert line.leg.start is None


def test_a_second_start_breaks_the_stream_off() -> None:
    line = started()
    line.say(START)

    (ended,) = line.told
    assert isinstance(ended, leg.Ended)
    assert ended.lost
    assert ended.ending.fault is Fault.CARRIER
    assert ended.ending.reason == "protocol"
    assert line.closed == [1008]
    assert line.leg.bad_frames == {"second-start": 1}


def test_our_own_voice_is_not_the_callers() -> None:
    line = started()
    line.say(media.Media(SID, FRAME, track="outbound"))

    assert line.told == []
    assert not line.leg.bad_frames


def test_a_gap_in_the_callers_audio_is_counted() -> None:
    """Twilio discards audio where we read too slowly."""
    line = started()
    line.say(*(media.Media(SID, FRAME, chunk=chunk) for chunk in (1, 2, 5, 6)))

    assert len(line.told) == 4
    assert line.leg.missing_chunks == 2


@pytest.mark.parametrize(
    ("message", "reason"),
    [
        (b"\x00\x01", "binary"),
        (GARBAGE, "not-json"),
        ('{"event":"hello"}', "unknown-event"),
        ('{"event":"mark"}', "malformed"),
        (f'{{"event":"media","streamSid":"{SID}","media":{{"payload":"?"}}}}', "bad-base64"),
        ("x" * 70_000, "huge"),
        (media.write_event(media.Media("MZother", FRAME)), "wrong-stream"),
        (media.write_event(media.Stop("MZother")), "wrong-stream"),
        (media.write_event(media.Connected()), "late-greeting"),
    ],
)
def test_a_bad_frame_is_dropped_and_counted(message: str | bytes, reason: str) -> None:
    """One bad frame is no reason to lose a caller."""
    line = started()
    line.leg.receive(message)
    line.say(media.Media(SID, FRAME))

    assert line.told == [leg.Heard(FRAME)]
    assert line.leg.bad_frames == {reason: 1}
    assert line.closed == []


@pytest.mark.parametrize(
    ("message", "code"),
    [
        (b"\x00\x01", 1003),
        (GARBAGE, 1007),
        ('{"event":"mark"}', 1007),
        (f'{{"event":"media","streamSid":"{SID}","media":{{"payload":"?"}}}}', 1007),
        ('{"event":"hello"}', 1008),
        (media.write_event(media.Mark("MZother", "m")), 1008),
        ("x" * 70_000, 1009),
    ],
)
def test_too_many_bad_frames_break_the_stream_off(message: str | bytes, code: int) -> None:
    line = started()
    for _ in range(BAD_FRAMES_QUOTA - 1):
        line.leg.receive(message)

    assert line.closed == []

    line.leg.receive(message)
    line.leg.receive(message)

    (ended,) = line.told
    assert isinstance(ended, leg.Ended)
    assert ended.lost
    assert line.closed == [code]


def test_media_before_the_start_is_not_endured_for_long() -> None:
    line = Line()
    line.say(*[media.Media(SID, FRAME)] * BAD_FRAMES_QUOTA)

    assert line.closed == [1008]
    assert line.leg.bad_frames == {"before-start": BAD_FRAMES_QUOTA}


def test_a_few_bad_frames_now_and_then_are_endured() -> None:
    """The quota is of ten seconds: five a second for as long as you like, but not more."""
    line = started()
    for _ in range(3 * BAD_FRAMES_QUOTA):
        line.now += 0.21
        line.leg.receive(GARBAGE)

    assert line.closed == []

    for _ in range(BAD_FRAMES_QUOTA):
        line.now += 0.1
        line.leg.receive(GARBAGE)

    assert line.closed == [1007]


def test_a_carrier_that_does_not_read_gets_no_more_audio() -> None:
    """Control is never dropped: it is small, and the call waits for it."""
    line = started()
    line.waiting = MAX_BUFFERED_SIZE + 1
    line.leg.do(leg.Play(FRAME, "m"))
    line.leg.do(leg.Clear())
    line.waiting = MAX_BUFFERED_SIZE
    line.leg.do(leg.Play(FRAME))

    assert line.commands == [
        media.SendMark(SID, "m"),
        media.SendClear(SID),
        media.SendMedia(SID, FRAME),
    ]
    assert line.leg.dropped_audio == len(FRAME)


def test_a_carrier_that_takes_everything_is_not_asked_how_much_waits() -> None:
    line = started()
    line.clogged, line.waiting = False, MAX_BUFFERED_SIZE + 1
    line.leg.do(leg.Play(FRAME))

    assert line.commands == [media.SendMedia(SID, FRAME)]


def test_a_listener_may_finish_the_leg_in_the_middle_of_an_event() -> None:
    line = Line(listening=False)

    def listener(event: leg.LegEvent) -> None:
        line.told.append(event)
        if isinstance(event, leg.Heard):
            line.leg.do(leg.Finish(leg.Hangup()))
            line.leg.disconnected(1000)

    line.leg.attach(listener)
    line.say(START, media.Media(SID, FRAME), media.Media(SID, FRAME))

    assert line.told == [
        STARTED,
        leg.Heard(FRAME),
        leg.Ended(Ending(Fault.NOBODY, "finished")),
    ]


def test_logs_name_the_reason_and_nothing_else(caplog: pytest.LogCaptureFixture) -> None:
    """Once for each reason, without a word of what was sent."""
    line = started()
    with caplog.at_level(logging.DEBUG):
        line.leg.receive("my number is 4711")
        line.leg.receive("my number is 4711")

    assert [record.getMessage() for record in caplog.records] == [
        "a frame of the carrier's was dropped: not-json"
    ]


EVENTS: list[media.TwilioEvent] = [
    media.Connected(),
    START,
    media.Start("MZother", ACCOUNT, CALL),
    media.Start(SID, ACCOUNT, CALL, format=media.MediaFormat("audio/x-l16", 16_000, 1)),
    media.Media(SID, FRAME, chunk=1),
    media.Media(SID, FRAME, chunk=9, track="outbound"),
    media.Media("MZother", FRAME),
    media.Dtmf(SID, "1"),
    media.Mark(SID, "m"),
    media.Stop(SID),
]
frames: st.SearchStrategy[Any] = st.one_of(
    st.text(max_size=40),
    st.binary(max_size=40),
    st.sampled_from(EVENTS).map(media.write_event),
    st.dictionaries(
        st.sampled_from(["event", "streamSid", "media", "start", "stop", "mark", "dtmf"]),
        st.sampled_from(["media", "start", "stop", "mark", "dtmf", SID, "", None, {}, [], 7]),
    ).map(json.dumps),
)
commands = st.sampled_from(
    [leg.Play(FRAME), leg.Play(FRAME, "m"), leg.Clear(), leg.Finish(leg.Hangup()), 1000, 1006]
)


@given(st.lists(frames | commands, max_size=60))
def test_whatever_happens_the_leg_keeps_its_promises(steps: list[Any]) -> None:
    """No exception; Started once and first; Ended once and last; one close, then silence."""
    line = Line()
    for step in steps:
        if isinstance(step, str | bytes):
            line.leg.receive(step)
        elif isinstance(step, int):
            line.leg.disconnected(step)
        else:
            before = len(line.sent)
            line.leg.do(step)
            assert len(line.sent) == before or not (line.closed or line.leg.ended)
    line.leg.disconnected(1006)

    kinds = [type(event) for event in line.told]
    assert kinds.count(leg.Started) == (line.leg.start is not None)
    assert kinds.index(leg.Ended) == len(kinds) - 1
    assert len(kinds) == 1 or kinds[0] is leg.Started
    assert len(line.closed) <= 1
