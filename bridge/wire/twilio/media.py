"""
Twilio Media Streams, WebSocket messages: both ends of the protocol.

Twilio sends events and reads commands; we read events and send commands; the simulator
stands at Twilio's end. Every message is one JSON text frame.

Rule: nothing but CarrierProtocolError leaves a reader, and its text is one word of
`Reason`, fit for a metric's label: never a piece of what was read.

Fifty times a second comes a frame of the very layout that Twilio gives its media. It is read
without a JSON reader, as marks are; whatever differs in anything is read by one, just the same.
"""

from __future__ import annotations

import binascii
import json
import re
from collections.abc import Mapping
from json.encoder import encode_basestring_ascii as quoted
from typing import Any

from bridge.errors import CarrierProtocolError
from bridge.kernel import compiled
from bridge.wire.framing import audio_text
from bridge.wire.twilio.frames import (
    DIGITS,
    INBOUND,
    ULAW,
    Connected,
    Dtmf,
    Mark,
    Media,
    MediaFormat,
    Reason,
    SendClear,
    SendMark,
    SendMedia,
    Start,
    Stop,
    TwilioCommand,
    TwilioEvent,
)
from bridge.wire.twilio.identifiers import is_identifier

__all__ = [
    "INBOUND",
    "MAX_COMMAND_SIZE",
    "MAX_FRAME_SIZE",
    "ULAW",
    "Connected",
    "Dtmf",
    "Mark",
    "Media",
    "MediaFormat",
    "Reason",
    "SendClear",
    "SendMark",
    "SendMedia",
    "Start",
    "Stop",
    "TwilioCommand",
    "TwilioEvent",
    "envelope",
    "read_command",
    "read_event",
    "read_in_full",
    "read_media",
    "write_clear",
    "write_command",
    "write_event",
    "write_mark",
    "write_media",
]

MAX_FRAME_SIZE = 64 * 1024  # characters; 20 ms of audio take 300
MAX_COMMAND_SIZE = 1024 * 1024  # characters; a minute and a half of audio in one frame

# A media frame up to its audio. The stream is named before the audio or behind it.
_USUAL = re.compile(
    r'\{"event":"media","sequenceNumber":"([0-9]{1,18})",(?:"streamSid":"(\w{1,64})",)?'
    r'"media":\{"track":"(\w{1,16})","chunk":"([0-9]{1,18})","timestamp":"([0-9]{1,18})",'
    r'"payload":"',
    re.ASCII,
)
# A mark that comes back, under a name as the bridge gives them.
_USUAL_MARK = re.compile(
    r'\{"event":"mark","sequenceNumber":"([0-9]{1,18})","streamSid":"(\w{1,64})",'
    r'"mark":\{"name":"([\w:]{1,64})"\}\}',
    re.ASCII,
)
_NAMED_BEHIND = re.compile(r'"\},"streamSid":"(\w{1,64})"\}', re.ASCII)


def read_event(text: str | bytes) -> TwilioEvent:
    """What Twilio sent. Raises CarrierProtocolError with a word of `Reason`."""
    if isinstance(text, str) and (media := read_media(text)) is not None:
        return Media(*media)
    return read_in_full(text)


def read_in_full(text: str | bytes) -> TwilioEvent:
    """The same for what `read_media` has found to be nothing usual."""
    if isinstance(text, str) and (mark := _USUAL_MARK.fullmatch(text)) is not None:
        return Mark(mark[2], mark[3], int(mark[1]))
    frame = _load(text, MAX_FRAME_SIZE)
    try:
        return _read_event(frame)
    except _FIELD_ERRORS:
        raise CarrierProtocolError(Reason.MALFORMED) from None


def read_command(text: str | bytes) -> TwilioCommand:
    """What the bridge sent, as Twilio reads it. Raises CarrierProtocolError likewise."""
    frame = _load(text, MAX_COMMAND_SIZE)
    try:
        return _read_command(frame)
    except _FIELD_ERRORS:
        raise CarrierProtocolError(Reason.MALFORMED) from None


def envelope(stream_sid: str) -> tuple[bytes, bytes]:
    """Of a media command: what comes before its audio in base64, and what comes behind."""
    head = f'{{"event":"media","streamSid":{quoted(stream_sid)},"media":{{"payload":"'
    return head.encode(), b'"}}'


def write_media(stream_sid: str, audio: bytes) -> str:
    """A media command. `audio` is headerless mu-law, 8000 Hz, mono, of any length."""
    before, behind = envelope(stream_sid)
    return audio_text(before, audio, behind).decode()


def write_mark(stream_sid: str, name: str) -> str:
    """A mark command."""
    return f'{{"event":"mark","streamSid":{quoted(stream_sid)},"mark":{{"name":{quoted(name)}}}}}'


def write_clear(stream_sid: str) -> str:
    """A clear command."""
    return f'{{"event":"clear","streamSid":{quoted(stream_sid)}}}'


def write_command(command: TwilioCommand) -> str:
    """Any command, as Twilio reads it."""
    match command:
        case SendMedia(stream_sid, audio):
            return write_media(stream_sid, audio)
        case SendMark(stream_sid, name):
            return write_mark(stream_sid, name)
        case SendClear(stream_sid):
            return write_clear(stream_sid)


def write_event(event: TwilioEvent) -> str:
    """Any event as Twilio spells it: counters are strings, the numbers of the format are not."""
    return json.dumps(_frame(event), separators=(",", ":"))


# What a field that is missing, or of another type, leads to below.
_FIELD_ERRORS = (AttributeError, KeyError, OverflowError, TypeError, ValueError)


def _load(text: str | bytes, max_size: int) -> dict[str, Any]:
    if len(text) > max_size:
        raise CarrierProtocolError(Reason.HUGE)
    try:
        frame = json.loads(text)
    except (ValueError, RecursionError):
        raise CarrierProtocolError(Reason.NOT_JSON) from None
    if not isinstance(frame, dict):
        raise CarrierProtocolError(Reason.MALFORMED)
    return frame


def _read_media_here(text: str) -> tuple[str, bytes, str, int, int, int] | None:
    """`read_media` in Python."""
    head = _USUAL.match(text)
    if head is None or len(text) > MAX_FRAME_SIZE:
        return None
    sequence_number, stream_sid, track, chunk, timestamp_ms = head.groups()
    begin = head.end()
    end = text.find('"', begin)
    behind = text[end:]
    if stream_sid is None:
        named = _NAMED_BEHIND.fullmatch(behind)
        if named is None:
            return None
        stream_sid = named[1]
    elif behind != '"}}':
        return None
    try:
        audio = binascii.a2b_base64(text[begin:end], strict_mode=True)
    except ValueError:
        return None
    return stream_sid, audio, track, int(chunk), int(timestamp_ms), int(sequence_number)


read_media = compiled("read_media", _read_media_here)
"""
The fields of a `Media` from a frame of the layout that Twilio gives its media; None for
whatever else it is, or is not quite.
"""


def _read_event(frame: dict[str, Any]) -> TwilioEvent:
    match frame["event"]:
        case "media":
            return _media(frame)
        case "mark":
            return Mark(_sid(frame), _text(frame["mark"]["name"]), _number(frame, "sequenceNumber"))
        case "dtmf":
            return _read_dtmf(frame)
        case "start":
            return _read_start(frame)
        case "connected":
            return Connected(_text(frame.get("protocol", "")), _text(frame.get("version", "")))
        case "stop":
            return _read_stop(frame)
        case _:
            raise CarrierProtocolError(Reason.UNKNOWN_EVENT)


def _read_command(frame: dict[str, Any]) -> TwilioCommand:
    match frame["event"]:
        case "media":
            return SendMedia(_sid(frame), _audio(frame["media"]["payload"]))
        case "mark":
            return SendMark(_sid(frame), _text(frame["mark"]["name"]))
        case "clear":
            return SendClear(_sid(frame))
        case _:
            raise CarrierProtocolError(Reason.UNKNOWN_EVENT)


def _media(frame: dict[str, Any]) -> Media:
    media = frame["media"]
    return Media(
        _sid(frame),
        _audio(media["payload"]),
        _text(media.get("track", INBOUND)),
        _number(media, "chunk"),
        _number(media, "timestamp"),
        _number(frame, "sequenceNumber"),
    )


def _read_dtmf(frame: dict[str, Any]) -> Dtmf:
    dtmf = frame["dtmf"]
    digit = _text(dtmf["digit"]).upper()
    if digit not in DIGITS:
        raise CarrierProtocolError(Reason.MALFORMED)
    track = _text(dtmf.get("track", ""))
    return Dtmf(_sid(frame), digit, track, _number(frame, "sequenceNumber"))


def _read_start(frame: dict[str, Any]) -> Start:
    start = frame["start"]
    media_format = start["mediaFormat"]
    parameters = start.get("customParameters", {})
    return Start(
        stream_sid=_identifier(frame["streamSid"]),
        account_id=_identifier(start["accountSid"]),
        call_id=_identifier(start["callSid"]),
        parameters={_text(name): _text(value) for name, value in parameters.items()},
        format=MediaFormat(
            _text(media_format["encoding"]),
            int(media_format["sampleRate"]),
            int(media_format["channels"]),
        ),
        tracks=tuple(_text(track) for track in start.get("tracks", [])),
        sequence_number=_number(frame, "sequenceNumber"),
    )


def _read_stop(frame: dict[str, Any]) -> Stop:
    stop = frame.get("stop", {})
    account_id, call_id = stop.get("accountSid", ""), stop.get("callSid", "")
    number = _number(frame, "sequenceNumber")
    return Stop(_sid(frame), _text(account_id), _text(call_id), number)


def _frame(event: TwilioEvent) -> dict[str, Any]:
    match event:
        case Connected(protocol, version):
            return {"event": "connected", "protocol": protocol, "version": version}
        case Start():
            return _numbered("start", event, _start_body(event))
        case Media():
            return _numbered("media", event, _media_body(event))
        case Dtmf():
            return _numbered("dtmf", event, {"track": event.track, "digit": event.digit})
        case Mark():
            return _numbered("mark", event, {"name": event.name})
        case Stop():
            body = {"accountSid": event.account_id, "callSid": event.call_id}
            return _numbered("stop", event, body)


def _start_body(event: Start) -> dict[str, Any]:
    return {
        "streamSid": event.stream_sid,
        "accountSid": event.account_id,
        "callSid": event.call_id,
        "tracks": list(event.tracks),
        "mediaFormat": {
            "encoding": event.format.encoding,
            "sampleRate": event.format.sample_rate,
            "channels": event.format.channels,
        },
        "customParameters": dict(event.parameters),
    }


def _media_body(event: Media) -> dict[str, str]:
    return {
        "track": event.track,
        "chunk": str(event.chunk),
        "timestamp": str(event.timestamp_ms),
        "payload": binascii.b2a_base64(event.audio, newline=False).decode("ascii"),
    }


def _numbered(
    kind: str, event: Start | Media | Dtmf | Mark | Stop, body: Mapping[str, Any]
) -> dict[str, Any]:
    return {
        "event": kind,
        "sequenceNumber": str(event.sequence_number),
        "streamSid": event.stream_sid,
        kind: body,
    }


def _audio(payload: str) -> bytes:
    try:
        return binascii.a2b_base64(payload, strict_mode=True)
    except ValueError:
        raise CarrierProtocolError(Reason.BAD_BASE64) from None


def _sid(frame: dict[str, Any]) -> str:
    return _text(frame["streamSid"])


def _number(body: Mapping[str, Any], name: str) -> int:
    # Twilio writes these as strings, and says nowhere that it always will.
    return int(body.get(name, 0))


def _text(value: object) -> str:
    if not isinstance(value, str):
        raise CarrierProtocolError(Reason.MALFORMED)
    return value


def _identifier(value: object) -> str:
    if not is_identifier(value):
        raise CarrierProtocolError(Reason.MALFORMED)
    return str(value)
