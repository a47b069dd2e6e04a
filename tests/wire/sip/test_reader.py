"""Bytes that are a message, and those that are none."""

from __future__ import annotations

import pytest

from bridge.wire.sip.faults import Reason, SipProtocolError
from bridge.wire.sip.messages import Request
from bridge.wire.sip.reader import Limits, Unreadable, content_length, read
from tests.wire.sip.scripts import OFFER, Caller, endpoint


def sample() -> bytes:
    return Caller(endpoint()).request("INVITE", body=OFFER).render()


def refusal(data: bytes, limits: Limits | None = None) -> Unreadable:
    with pytest.raises(Unreadable) as refused:
        read(data, limits or Limits())
    return refused.value


def test_a_message_is_read_as_it_was_written() -> None:
    message = read(b"\r\n\r\n" + sample())

    assert isinstance(message, Request)
    assert (message.method, message.content) == ("INVITE", OFFER)
    assert message.render() == sample()


@pytest.mark.parametrize(
    ("limits", "reason", "answered"),
    [
        (Limits(message=100), Reason.HUGE, False),
        (Limits(headers=3), Reason.TOO_MANY_HEADERS, True),
        (Limits(line=30), Reason.HEADER, False),
    ],
)
def test_limits(limits: Limits, reason: Reason, answered: bool) -> None:
    """Nobody makes us keep more than we want; whoever can be told is told."""
    refused = refusal(sample(), limits)

    assert refused.reason is reason
    assert (refused.request is not None) is answered


def test_one_request_that_cannot_be_answered() -> None:
    """Without Via nobody knows where the answer goes; ACK is never answered."""
    no_via = sample().replace(b"Via:", b"Vio:")
    ack = Caller(endpoint()).request("ACK").render().replace(b"Call-ID", b"Call-IX")

    assert refusal(no_via).request is None
    assert refusal(ack).request is None
    assert refusal(sample().replace(b"Call-ID", b"Call-IX")).request is not None


def test_a_cut_datagram_is_malformed() -> None:
    assert refusal(sample()[:-1]).reason is Reason.LENGTH
    assert refusal(sample()[:80]).reason is Reason.LENGTH


def test_bytes_of_no_encoding_survive() -> None:
    """What is not UTF-8 goes out as it came in."""
    data = sample().replace(b"Max-Forwards: 70", b"Subject: \xff\xfe")

    assert b"Subject: \xff\xfe" in read(data).render()


def test_lengths_that_agree() -> None:
    assert content_length(["5", "05"]) == 5
    assert content_length([]) is None
    with pytest.raises(SipProtocolError):
        content_length(["5", "6"])


def test_errors_repeat_nothing() -> None:
    assert "agent" not in str(refusal(sample()[:-1])) + repr(refusal(sample()[:-1]))
