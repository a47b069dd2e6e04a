"""Twilio's frames as its documents and captures have them, and both ends tied together."""

from __future__ import annotations

import binascii
import json
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bridge.errors import CarrierProtocolError
from bridge.wire.twilio import media
from bridge.wire.twilio.media import Reason
from tests.makes import both_makes

SID = "MZ18ad3ab5a668481ce02b83e7395059f0"
CALL = "CA" + "c" * 32
ACCOUNT = "AC" + "a" * 32

START: dict[str, Any] = {
    "event": "start",
    "sequenceNumber": "1",
    "start": {
        "accountSid": ACCOUNT,
        "streamSid": SID,
        "callSid": CALL,
        "tracks": ["inbound"],
        "mediaFormat": {"encoding": "audio/x-mulaw", "sampleRate": 8000, "channels": 1},
        "customParameters": {"token": "T-1"},
    },
    "streamSid": SID,
}

sids = st.text(st.characters(min_codepoint=33, max_codepoint=126), min_size=1, max_size=40)
numbers = st.integers(0, 2**40)
events = st.one_of(
    st.builds(media.Connected, st.text(), st.text()),
    st.builds(
        media.Start,
        sids,
        sids,
        sids,
        st.dictionaries(st.text(), st.text()),
        st.builds(media.MediaFormat, st.text(), numbers, numbers),
        st.lists(st.text()).map(tuple),
        numbers,
    ),
    st.builds(media.Media, sids, st.binary(), st.text(), numbers, numbers, numbers),
    st.builds(media.Dtmf, sids, st.sampled_from("0123456789*#ABCD"), st.text(), numbers),
    st.builds(media.Mark, sids, st.text(), numbers),
    st.builds(media.Stop, sids, st.text(), st.text(), numbers),
)
commands = st.one_of(
    st.builds(media.SendMedia, sids, st.binary()),
    st.builds(media.SendMark, sids, st.text()),
    st.builds(media.SendClear, sids),
)
json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3)
    ),
    max_leaves=8,
)


FIELDS = (
    *("payload", "chunk", "track", "timestamp", "name", "digit"),
    *("callSid", "accountSid", "mediaFormat", "customParameters", "tracks"),
)


def in_base64(audio: bytes) -> str:
    return binascii.b2a_base64(audio, newline=False).decode()


def refusal(text: str | bytes) -> str:
    with pytest.raises(CarrierProtocolError) as refused:
        media.read_event(text)
    return str(refused.value)


def test_connected_has_neither_number_nor_stream() -> None:
    frame = '{"event":"connected","protocol":"Call","version":"1.0.0"}'

    assert media.read_event(frame) == media.Connected("Call", "1.0.0")


def test_start_tells_which_call_this_is() -> None:
    assert media.read_event(json.dumps(START)) == media.Start(
        SID, ACCOUNT, CALL, {"token": "T-1"}, media.ULAW, ("inbound",), 1
    )


def test_media_is_read_as_twilio_writes_it() -> None:
    """Counters are strings; the first time stamp is not zero."""
    frame = (
        '{"event":"media","sequenceNumber":"2","media":{"track":"inbound","chunk":"1",'
        f'"timestamp":"57","payload":"/w=="}},"streamSid":"{SID}"}}'
    )

    assert media.read_event(frame) == media.Media(SID, b"\xff", "inbound", 1, 57, 2)


@pytest.mark.parametrize("number", ["7", 7])
def test_counters_may_be_strings_or_numbers(number: str | int) -> None:
    frame = {
        "event": "media",
        "streamSid": SID,
        "sequenceNumber": number,
        "media": {"payload": "", "chunk": number, "timestamp": number},
    }

    assert media.read_event(json.dumps(frame)) == media.Media(SID, b"", "inbound", 7, 7, 7)


def test_what_the_captures_lack_may_be_lacking() -> None:
    """Of media only stream and payload matter; a stop need not say of which call."""
    audio = f'{{"event":"media","streamSid":"{SID}","media":{{"payload":"AAA="}}}}'
    stop = f'{{"event":"stop","streamSid":"{SID}"}}'

    assert media.read_event(audio) == media.Media(SID, b"\x00\x00")
    assert media.read_event(stop) == media.Stop(SID)


def test_digits_and_marks_are_read() -> None:
    digit = (
        f'{{"event":"dtmf","streamSid":"{SID}","sequenceNumber":"5",'
        '"dtmf":{"track":"inbound_track","digit":"#"}}'
    )
    mark = f'{{"event":"mark","sequenceNumber":"4","streamSid":"{SID}","mark":{{"name":"e7:1"}}}}'

    assert media.read_event(digit) == media.Dtmf(SID, "#", "inbound_track", 5)
    assert media.read_event(mark) == media.Mark(SID, "e7:1", 4)
    assert media.read_event(json.dumps(json.loads(mark))) == media.Mark(SID, "e7:1", 4)


def test_unknown_fields_do_no_harm() -> None:
    """Twilio adds fields whenever it likes."""
    frame = {**START, "extra": [1], "start": {**START["start"], "region": "us1"}}

    assert isinstance(media.read_event(json.dumps(frame)), media.Start)


def test_events_are_spelled_as_twilio_spells_them() -> None:
    """Counters go out as strings, the format's numbers as numbers."""
    start = media.Start(SID, ACCOUNT, CALL, {"token": "T-1"})
    audio = media.Media(SID, b"\xff", chunk=1, timestamp_ms=57, sequence_number=2)

    assert json.loads(media.write_event(start)) == START
    assert json.loads(media.write_event(audio)) == {
        "event": "media",
        "sequenceNumber": "2",
        "streamSid": SID,
        "media": {"track": "inbound", "chunk": "1", "timestamp": "57", "payload": "/w=="},
    }


def test_commands_are_spelled_as_twilio_wants_them() -> None:
    assert json.loads(media.write_media(SID, b"\xff\x7f")) == {
        "event": "media",
        "streamSid": SID,
        "media": {"payload": "/38="},
    }
    assert json.loads(media.write_mark(SID, 'a"b')) == {
        "event": "mark",
        "streamSid": SID,
        "mark": {"name": 'a"b'},
    }
    assert json.loads(media.write_clear(SID)) == {"event": "clear", "streamSid": SID}


@given(events)
def test_twilios_end_and_ours_agree_on_events(event: media.TwilioEvent) -> None:
    text = media.write_event(event)

    assert media.read_event(text) == event
    assert media.read_event(text.encode()) == event


@given(commands)
def test_twilios_end_and_ours_agree_on_commands(command: media.TwilioCommand) -> None:
    assert media.read_command(media.write_command(command)) == command


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("", Reason.NOT_JSON),
        ("{", Reason.NOT_JSON),
        ("[" * 60_000, Reason.NOT_JSON),
        ("9" * 5_000, Reason.NOT_JSON),
        (b"\xff\xfe\x00", Reason.NOT_JSON),
        ("[]", Reason.MALFORMED),
        ("{}", Reason.MALFORMED),
        ('{"event":["media"]}', Reason.UNKNOWN_EVENT),
        ('{"event":"clear","streamSid":"MZ1"}', Reason.UNKNOWN_EVENT),
        ('{"event":"media"}', Reason.MALFORMED),
        ('{"event":"media","streamSid":"MZ1","media":[]}', Reason.MALFORMED),
        ('{"event":"media","streamSid":"MZ1","media":{"payload":7}}', Reason.MALFORMED),
        ('{"event":"media","streamSid":7,"media":{"payload":""}}', Reason.MALFORMED),
        ('{"event":"media","streamSid":"MZ1","media":{"payload":"a"}}', Reason.BAD_BASE64),
        ('{"event":"media","streamSid":"MZ1","media":{"payload":"\\n"}}', Reason.BAD_BASE64),
        ('{"event":"media","streamSid":"MZ1","media":{"payload":"ä"}}', Reason.BAD_BASE64),
        (
            '{"event":"media","streamSid":"MZ1","media":{"payload":"","chunk":1e999}}',
            Reason.MALFORMED,
        ),
        ('{"event":"dtmf","streamSid":"MZ1","dtmf":{"digit":"12"}}', Reason.MALFORMED),
        ('{"event":"dtmf","streamSid":"MZ1","dtmf":{"digit":""}}', Reason.MALFORMED),
        ('{"event":"mark","streamSid":"MZ1","mark":"x"}', Reason.MALFORMED),
        ('{"event":"stop","stop":{}}', Reason.MALFORMED),
        ("x" * (media.MAX_FRAME_SIZE + 1), Reason.HUGE),
    ],
)
def test_bad_frames_are_named_in_one_word(text: str | bytes, reason: Reason) -> None:
    assert refusal(text) == reason


@pytest.mark.parametrize("field", ["accountSid", "callSid", "mediaFormat"])
def test_a_start_without_its_call_is_malformed(field: str) -> None:
    body = {name: value for name, value in START["start"].items() if name != field}

    assert refusal(json.dumps({**START, "start": body})) == Reason.MALFORMED


@pytest.mark.parametrize("call", ["", "  ", "CA\n", "C" * 129, 7])
def test_a_start_with_a_strange_call_is_malformed(call: str | int) -> None:
    """The call's id becomes a key in the store and a part of a path."""
    body = {**START["start"], "callSid": call}

    assert refusal(json.dumps({**START, "start": body})) == Reason.MALFORMED


def test_words_of_the_caller_are_not_in_the_error() -> None:
    secret = '{"event":"dtmf","streamSid":"MZ1","dtmf":{"digit":"4711"}}'

    with pytest.raises(CarrierProtocolError) as refused:
        media.read_event(secret)

    assert "4711" not in repr(refused.value)
    assert refused.value.__cause__ is None


def test_what_was_said_is_not_in_a_repr() -> None:
    start = media.Start(SID, ACCOUNT, CALL, {"token": "T-1"})

    assert "T-1" not in repr(start)
    assert "audio" not in repr(media.Media(SID, b"hello"))
    assert "#" not in repr(media.Dtmf(SID, "#"))


def test_commands_that_twilio_would_ignore_are_refused() -> None:
    with pytest.raises(CarrierProtocolError, match=Reason.UNKNOWN_EVENT):
        media.read_command('{"event":"hangup","streamSid":"MZ1"}')
    with pytest.raises(CarrierProtocolError, match=Reason.MALFORMED):
        media.read_command('{"event":"clear"}')


def test_ten_seconds_of_audio_are_one_command() -> None:
    """Models speak faster than life; what we send is not bound to what we take."""
    audio = bytes(80_000)

    assert media.read_command(media.write_media(SID, audio)) == media.SendMedia(SID, audio)


@given(st.text() | st.binary() | json_values.map(json.dumps))
def test_whatever_comes_only_a_reason_leaves(text: str | bytes) -> None:
    assert refusal(text) in set(Reason)


@given(
    st.sampled_from(["media", "start", "mark", "dtmf", "stop", "connected"]),
    st.dictionaries(
        st.sampled_from(FIELDS),
        json_values,
    ),
    json_values,
)
def test_fields_of_any_kind_are_read_or_refused(kind: str, body: object, number: object) -> None:
    frame = {"event": kind, "streamSid": SID, "sequenceNumber": number, kind: body}

    try:
        event = media.read_event(json.dumps(frame))
    except CarrierProtocolError as refused:
        assert str(refused) in set(Reason)  # noqa: PT017 - both outcomes are fine
    else:
        assert event.__class__.__name__.lower() == kind


def a_frame(media_first: bool, **more: object) -> str:
    """A media frame in one of the two layouts that Twilio has had for it."""
    body = {"track": "inbound", "chunk": "3", "timestamp": "57", "payload": "/38=", **more}
    frame: dict[str, Any] = {"event": "media", "sequenceNumber": "4"}
    frame |= {"media": body, "streamSid": SID} if media_first else {"streamSid": SID, "media": body}
    return json.dumps(frame, separators=(",", ":"))


def outcome(read: Callable[[str], media.TwilioEvent], text: str) -> media.TwilioEvent | str:
    try:
        return read(text)
    except CarrierProtocolError as refused:
        return str(refused)


def by_json(text: str) -> media.TwilioEvent:
    """The same frame, read in full: bytes have no short way."""
    return media.read_event(text.encode("utf-8", "surrogatepass"))


Fields = tuple[str, bytes, str, int, int, int]
every_reader = both_makes("read", "read_media", media._read_media_here)


def by(read: Callable[[str], Fields | None]) -> Callable[[str], media.TwilioEvent]:
    """Read the short way where that finds something, else in full."""

    def read_event(text: str) -> media.TwilioEvent:
        fields = read(text)
        return by_json(text) if fields is None else media.Media(*fields)

    return read_event


@every_reader
@given(
    st.booleans(),
    st.text(st.characters(codec="ascii"), max_size=12) | st.binary().map(in_base64),
    st.sampled_from(["inbound", "outbound", "", "in bound", "ä", '"', "\\"]),
    st.one_of(st.integers(), st.integers().map(str), st.sampled_from(["", "07", "٣", " 7", "1e3"])),
)
def test_the_short_way_and_the_full_one_agree(
    read: Callable[[str], Fields | None],
    media_first: bool,
    payload: str,
    track: str,
    number: int | str,
) -> None:
    """Whatever the fields hold."""
    text = a_frame(media_first, payload=payload, track=track, chunk=number)

    assert outcome(by(read), text) == outcome(by_json, text)


@every_reader
@given(
    st.booleans(),
    st.integers(0, 200),
    st.integers(0, 4),
    st.text(st.sampled_from('"{}:,\\/+=mM01 \n\x00ä') | st.characters(codec="ascii"), max_size=4),
)
def test_they_agree_on_frames_that_were_tampered_with(
    read: Callable[[str], Fields | None],
    media_first: bool,
    at: int,
    removed: int,
    inserted: str,
) -> None:
    """A few characters more, less or other, anywhere: the same event or the same refusal."""
    text = a_frame(media_first)
    at %= len(text) + 1
    text = text[:at] + inserted + text[at + removed :]

    assert outcome(by(read), text) == outcome(by_json, text)


@every_reader
@given(st.booleans(), st.binary(min_size=1, max_size=400), st.integers(0, 10**18 - 1))
def test_the_usual_frame_is_read_the_short_way(
    read: Callable[[str], Fields | None], media_first: bool, audio: bytes, number: int
) -> None:
    """Both layouts, and numbers up to 18 digits long."""
    text = a_frame(media_first, payload=in_base64(audio), chunk=str(number))

    assert read(text) == (SID, audio, "inbound", number, 57, 4)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (a_frame(True)[:-1] + f',"streamSid":"{SID[::-1]}"}}', SID[::-1]),
        (a_frame(False)[:-1] + f',"streamSid":"{SID[::-1]}"}}', SID[::-1]),
        (a_frame(False) + " ", SID),
    ],
)
def test_unusual_frames_are_read_in_full(text: str, expected: str) -> None:
    """The last of two fields of one name counts, and space around a frame is nothing."""
    event = media.read_event(text)

    assert isinstance(event, media.Media)
    assert event.stream_sid == expected


def test_a_huge_frame_is_refused_however_usual() -> None:
    assert refusal(a_frame(True, payload="A" * media.MAX_FRAME_SIZE)) == Reason.HUGE
