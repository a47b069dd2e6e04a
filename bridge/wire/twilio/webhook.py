"""
Twilio's webhooks: the fields of its forms as values, and back again for the simulator.

Twilio, TwiML request parameters; Media Streams, StreamStatus callbacks; call status callbacks.
Fields that we do not know are kept, because Twilio adds some whenever it likes.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from urllib.parse import parse_qsl, urlencode

from bridge.errors import CarrierProtocolError
from bridge.wire.twilio.identifiers import is_identifier
from bridge.wire.twilio.signature import Form

__all__ = [
    "FINAL_STATUSES",
    "MAX_BODY_SIZE",
    "CallStatus",
    "StreamStatus",
    "VoiceRequest",
    "read_call_status",
    "read_form",
    "read_json",
    "read_number",
    "read_stream_status",
    "read_voice",
    "write_call_status",
    "write_form",
    "write_stream_status",
    "write_voice",
]

MAX_BODY_SIZE = 64 * 1024  # bytes; a voice webhook has about one thousand
MAX_FIELDS = 256
FINAL_STATUSES = frozenset({"completed", "busy", "failed", "no-answer", "canceled"})


@dataclass(frozen=True, slots=True)
class VoiceRequest:
    """
    A call asks what to do: it has come in, or the verb before has ended.

    `from_` and `to` are E.164 numbers, sip: URIs, words such as "anonymous", or blank.
    """

    call_id: str
    account_id: str
    from_: str = field(default="", repr=False)
    to: str = field(default="", repr=False)
    direction: str = "inbound"
    status: str = "ringing"
    parameters: Mapping[str, str] = field(default_factory=dict, repr=False)
    """All other fields; of one that is repeated, the first."""

    @property
    def over(self) -> bool:
        """Whether the caller is gone already."""
        return self.status in FINAL_STATUSES


@dataclass(frozen=True, slots=True)
class StreamStatus:
    """A stream was started, stopped, or broke (`event` stream-error, then with `error`)."""

    call_id: str
    account_id: str
    stream_sid: str
    event: str
    error: str = ""

    @property
    def over(self) -> bool:
        """Whether the stream has ended, however it did."""
        return self.event in {"stream-stopped", "stream-error"}


@dataclass(frozen=True, slots=True)
class CallStatus:
    """How far a call has come, in Twilio's word; `duration_seconds` once it is over."""

    call_id: str
    account_id: str
    status: str
    duration_seconds: int | None = None

    @property
    def over(self) -> bool:
        """Whether the call has ended, however it did."""
        return self.status in FINAL_STATUSES


def read_form(body: bytes) -> Form:
    """
    The fields of a form body, blank and repeated ones too, as the signature needs them.

    Raises CarrierProtocolError when there are too many, or it is no form.
    """
    if len(body) > MAX_BODY_SIZE:
        raise CarrierProtocolError("the form is larger than 64 KiB")
    try:
        return parse_qsl(body.decode(), keep_blank_values=True, max_num_fields=MAX_FIELDS)
    except ValueError:
        raise CarrierProtocolError("the body is not a form") from None


def read_json(body: bytes) -> Form:
    """
    The same of a JSON object; what is neither a text nor a number there is left out.

    Raises CarrierProtocolError when it is no object, or too large.
    """
    if len(body) > MAX_BODY_SIZE:
        raise CarrierProtocolError("the body is larger than 64 KiB")
    try:
        fields = json.loads(body)
    except (ValueError, RecursionError):
        raise CarrierProtocolError("the body is not JSON") from None
    if not isinstance(fields, dict):
        raise CarrierProtocolError("the body is not a JSON object")
    return [(name, str(value)) for name, value in fields.items() if isinstance(value, str | int)]


def write_form(form: Form) -> bytes:
    """The body of a form."""
    return urlencode(form).encode()


def read_voice(form: Form) -> VoiceRequest:
    """The fields of a voice webhook. Raises CarrierProtocolError when it names no call."""
    fields = _first(form)
    named = {
        "call_id": _identifier(form, "CallSid"),
        "account_id": _identifier(form, "AccountSid"),
        "from_": fields.pop("From", ""),
        "to": fields.pop("To", ""),
        "direction": fields.pop("Direction", ""),
        "status": fields.pop("CallStatus", ""),
    }
    del fields["CallSid"], fields["AccountSid"]
    return VoiceRequest(**named, parameters=fields)


def read_stream_status(form: Form) -> StreamStatus:
    """The fields of a stream's status callback. Raises CarrierProtocolError likewise."""
    fields = _first(form)
    return StreamStatus(
        call_id=_identifier(form, "CallSid"),
        account_id=_identifier(form, "AccountSid"),
        stream_sid=_identifier(form, "StreamSid"),
        event=_required(fields, "StreamEvent"),
        error=fields.get("StreamError", ""),
    )


def read_call_status(form: Form) -> CallStatus:
    """The fields of a call's status callback. Raises CarrierProtocolError likewise."""
    fields = _first(form)
    return CallStatus(
        call_id=_identifier(form, "CallSid"),
        account_id=_identifier(form, "AccountSid"),
        status=_required(fields, "CallStatus"),
        duration_seconds=read_number(fields.get("CallDuration", ""), digits=9),
    )


def write_voice(request: VoiceRequest) -> Form:
    """The fields of a voice webhook, as Twilio sends them."""
    return [
        ("CallSid", request.call_id),
        ("AccountSid", request.account_id),
        ("From", request.from_),
        ("To", request.to),
        ("Direction", request.direction),
        ("CallStatus", request.status),
        *request.parameters.items(),
    ]


def write_stream_status(status: StreamStatus) -> Form:
    """The fields of a stream's status callback, as Twilio sends them."""
    error = [("StreamError", status.error)] if status.error else []
    return [
        ("CallSid", status.call_id),
        ("AccountSid", status.account_id),
        ("StreamSid", status.stream_sid),
        ("StreamEvent", status.event),
        *error,
    ]


def write_call_status(status: CallStatus) -> Form:
    """The fields of a call's status callback, as Twilio sends them."""
    seconds = status.duration_seconds
    return [
        ("CallSid", status.call_id),
        ("AccountSid", status.account_id),
        ("CallStatus", status.status),
        *([] if seconds is None else [("CallDuration", str(seconds))]),
    ]


def _first(form: Form) -> dict[str, str]:
    fields: dict[str, str] = {}
    for name, value in form:
        fields.setdefault(name, value)
    return fields


def _required(fields: Mapping[str, str], name: str) -> str:
    value = fields.get(name, "").strip()
    if not value:
        raise CarrierProtocolError(f"the field {name} is missing or blank")
    return value


def _identifier(form: Form, name: str) -> str:
    values = {value for field_name, value in form if field_name == name}
    # Two calls in one request would be one for the signature and another for us.
    if len(values) > 1:
        raise CarrierProtocolError(f"the field {name} is given twice")
    value = _required({name: "".join(values)}, name)
    if not is_identifier(value):
        raise CarrierProtocolError(f"the field {name} is not an identifier")
    return value


def read_number(text: str, digits: int = 18) -> int | None:
    """A whole number of so many digits at most; None where there is none."""
    return int(text) if text.isascii() and text.isdigit() and len(text) <= digits else None
