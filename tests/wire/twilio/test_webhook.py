"""Twilio's forms as values: what they must have, what they may have, what is kept."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bridge.errors import CarrierProtocolError
from bridge.wire.twilio import webhook
from bridge.wire.twilio.webhook import CallStatus, StreamStatus, VoiceRequest

CALL, ACCOUNT, STREAM = "CA" + "c" * 32, "AC" + "a" * 32, "MZ" + "d" * 32
BODY = (
    f"AccountSid={ACCOUNT}&ApiVersion=2010-04-01&CallSid={CALL}&CallStatus=ringing"
    "&Direction=inbound&From=%2B491701234567&To=%2B4930901820&CallerName=&SipHeader_X-Id=7"
).encode()
IDS = [("CallSid", CALL), ("AccountSid", ACCOUNT)]


def test_a_call_comes_in() -> None:
    """Fields we have no word for are kept, blank ones too."""
    request = webhook.read_voice(webhook.read_form(BODY))

    assert request == VoiceRequest(
        CALL,
        ACCOUNT,
        "+491701234567",
        "+4930901820",
        "inbound",
        "ringing",
        {"ApiVersion": "2010-04-01", "CallerName": "", "SipHeader_X-Id": "7"},
    )
    assert not request.over


def test_numbers_are_not_in_a_repr() -> None:
    request = webhook.read_voice(webhook.read_form(BODY))

    assert "491701234567" not in repr(request)
    assert "4930901820" not in repr(request)
    assert "SipHeader" not in repr(request)


def test_a_caller_without_a_number_is_a_caller() -> None:
    assert webhook.read_voice(IDS) == VoiceRequest(CALL, ACCOUNT, direction="", status="")


def test_the_action_of_a_finished_call_is_over() -> None:
    assert webhook.read_voice([*IDS, ("CallStatus", "completed")]).over


@pytest.mark.parametrize("name", ["CallSid", "AccountSid"])
@pytest.mark.parametrize("value", [None, "", "  ", "\n"])
def test_a_form_that_names_no_call_is_refused(name: str, value: str | None) -> None:
    """A blank call would get a token that is bound to nothing."""
    form = [field for field in IDS if field[0] != name]
    form += [] if value is None else [(name, value)]

    with pytest.raises(CarrierProtocolError, match=f"{name} is missing or blank"):
        webhook.read_voice(form)


def test_a_form_that_names_two_calls_is_refused() -> None:
    with pytest.raises(CarrierProtocolError, match="CallSid is given twice"):
        webhook.read_voice([*IDS, ("CallSid", "CAother")])


@pytest.mark.parametrize("call", ["a b", "CA\x00", "C" * 129, "CÄ"])
def test_a_strange_call_is_refused_and_not_repeated(call: str) -> None:
    with pytest.raises(CarrierProtocolError, match="not an identifier") as refused:
        webhook.read_voice([("CallSid", call), ("AccountSid", ACCOUNT)])

    assert call not in str(refused.value)


def test_of_a_repeated_field_the_first_is_kept() -> None:
    request = webhook.read_voice([*IDS, ("Extra", "1"), ("Extra", "2")])

    assert request.parameters == {"Extra": "1"}


def test_a_stream_breaks() -> None:
    form = [
        *IDS,
        ("StreamSid", STREAM),
        ("StreamEvent", "stream-error"),
        ("StreamError", "31921"),
    ]

    assert webhook.read_stream_status(form) == StreamStatus(
        CALL, ACCOUNT, STREAM, "stream-error", "31921"
    )


@pytest.mark.parametrize(
    ("event", "over"), [("stream-started", False), ("stream-stopped", True), ("stream-error", True)]
)
def test_a_stream_is_over(event: str, over: bool) -> None:
    """Whether it ended well or not."""
    assert StreamStatus(CALL, ACCOUNT, STREAM, event).over is over


@pytest.mark.parametrize(
    ("text", "number"),
    [("0", 0), ("1750000000000", 1_750_000_000_000), ("", None), ("-1", None), ("9" * 19, None)],
)
def test_a_number_is_whole(text: str, number: int | None) -> None:
    assert webhook.read_number(text) == number


def test_a_call_is_over() -> None:
    status = webhook.read_call_status([*IDS, ("CallStatus", "completed"), ("CallDuration", "61")])

    assert status == CallStatus(CALL, ACCOUNT, "completed", 61)
    assert status.over
    assert not CallStatus(CALL, ACCOUNT, "in-progress").over


def test_a_duration_that_is_none_is_none() -> None:
    status = webhook.read_call_status([*IDS, ("CallStatus", "busy"), ("CallDuration", "²")])

    assert status.duration_seconds is None


@pytest.mark.parametrize(
    ("form", "name"),
    [
        ([*IDS, ("StreamEvent", "stream-stopped")], "StreamSid"),
        ([*IDS, ("StreamSid", STREAM)], "StreamEvent"),
    ],
)
def test_a_stream_status_without_its_stream_is_refused(
    form: list[tuple[str, str]], name: str
) -> None:
    with pytest.raises(CarrierProtocolError, match=name):
        webhook.read_stream_status(form)


def test_a_call_status_without_a_status_is_refused() -> None:
    with pytest.raises(CarrierProtocolError, match="CallStatus"):
        webhook.read_call_status(IDS)


def test_blank_and_repeated_fields_survive_the_body() -> None:
    """The signature is made over them."""
    form = [("a", ""), ("b", "1"), ("b", "ü&=+ "), ("a", "")]

    assert webhook.read_form(webhook.write_form(form)) == form


@pytest.mark.parametrize(
    "body", [b"\xff", b"a=1&" * 300, b"x" * (webhook.MAX_BODY_SIZE + 1)], ids=["", "many", "huge"]
)
def test_what_is_no_form_is_refused(body: bytes) -> None:
    with pytest.raises(CarrierProtocolError):
        webhook.read_form(body)


@pytest.mark.parametrize(
    "request_",
    [
        VoiceRequest(CALL, ACCOUNT, "+491", "+492", "outbound-api", "in-progress", {"X": "y"}),
        VoiceRequest(CALL, ACCOUNT),
    ],
)
def test_the_simulators_webhook_is_read_as_twilios(request_: VoiceRequest) -> None:
    assert webhook.read_voice(webhook.write_voice(request_)) == request_


def test_the_simulators_callbacks_are_read_as_twilios() -> None:
    stream = StreamStatus(CALL, ACCOUNT, STREAM, "stream-stopped")
    broken = StreamStatus(CALL, ACCOUNT, STREAM, "stream-error", "31921")
    call = CallStatus(CALL, ACCOUNT, "completed", 7)

    assert webhook.read_stream_status(webhook.write_stream_status(stream)) == stream
    assert webhook.read_stream_status(webhook.write_stream_status(broken)) == broken
    assert webhook.read_call_status(webhook.write_call_status(call)) == call


@given(st.binary(max_size=200))
def test_whatever_comes_it_is_a_form_or_a_refusal(body: bytes) -> None:
    try:
        form = webhook.read_form(body)
    except CarrierProtocolError:
        return

    assert all(isinstance(name + value, str) for name, value in form)


def test_a_json_body_has_the_same_fields() -> None:
    body = b'{"CallSid": "%b", "AccountSid": "%b", "CallDuration": 7, "More": {"a": 1}}' % (
        CALL.encode(),
        ACCOUNT.encode(),
    )

    assert webhook.read_json(body) == [*IDS, ("CallDuration", "7")]


@pytest.mark.parametrize("body", [b"", b"[]", b"{", b"\xff", b"[" * 60_000, b"{}" + b" " * 65_536])
def test_what_is_no_json_object_is_refused(body: bytes) -> None:
    with pytest.raises(CarrierProtocolError):
        webhook.read_json(body)
