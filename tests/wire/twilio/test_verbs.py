"""TwiML of strangers: read in order, bounded, and never trusted."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bridge.errors import CarrierProtocolError
from bridge.wire.twilio import verbs


def test_verbs_are_read_in_their_order() -> None:
    document = """<?xml version="1.0" encoding="UTF-8"?>
    <Response>
      <!-- a comment is not a verb -->
      <Say voice="alice" loop="2">Hello <emphasis>you</emphasis>!</Say>
      <Pause length="3"/><Pause/>
      <Play> https://b.example/a.wav </Play>
      <Dial callerId="+491" action="/after" method="get">+4930901820</Dial>
      <Redirect>https://b.example/next</Redirect>
      <Reject reason="busy"/><Hangup/><Gather numDigits="1"/>
    </Response>"""

    assert verbs.read_twiml(document) == (
        verbs.Say("Hello you!", loop=2),
        verbs.Pause(3.0),
        verbs.Pause(1.0),
        verbs.Play("https://b.example/a.wav"),
        verbs.Dial("+4930901820", "/after", "GET", "+491"),
        verbs.Redirect("https://b.example/next"),
        verbs.Reject("busy"),
        verbs.Hangup(),
        verbs.Unknown("Gather"),
    )


def test_a_stream_is_read_with_all_that_it_says() -> None:
    document = (
        '<Response><Connect><Stream url="wss://b/m" name="n" track="inbound_track">'
        '<Parameter name="a" value="1"/><Parameter name="b" value=""/>'
        "</Stream></Connect></Response>"
    )

    assert verbs.read_twiml(document.encode()) == (
        verbs.Connect("wss://b/m", parameters={"a": "1", "b": ""}, name="n", track="inbound_track"),
    )


def test_other_ways_of_connecting_are_unknown() -> None:
    document = "<Response><Connect><Room>x</Room></Connect><Dial><Queue>q</Queue></Dial></Response>"

    assert verbs.read_twiml(document) == (verbs.Unknown("Connect"), verbs.Unknown("Dial"))


def test_an_empty_response_has_no_verbs() -> None:
    assert verbs.read_twiml("<Response/>") == ()


LAUGHS = (
    '<!DOCTYPE r [<!ENTITY a "ha"><!ENTITY b "&a;&a;&a;&a;">]><Response><Say>&b;</Say></Response>'
)


@pytest.mark.parametrize(
    "document",
    [
        "",
        "Not found",
        "<html></html>",
        "<Response>",
        "<Response>&nbsp;</Response>",
        LAUGHS,
        LAUGHS.encode("utf-16"),
        b"\xff\xfe",
        '<!DOCTYPE Response SYSTEM "file:///etc/passwd"><Response/>',
        "<Response>" + "<a>" * 30_000,
        "<Response/>" + " " * verbs.MAX_DOCUMENT_SIZE,
        "<Response>\ud800</Response>",
    ],
)
def test_what_is_no_twiml_is_refused(document: str | bytes) -> None:
    with pytest.raises(CarrierProtocolError):
        verbs.read_twiml(document)


def test_numbers_that_are_none_are_the_default() -> None:
    document = '<Response><Say loop="-1">a</Say><Pause length="²"/></Response>'

    assert verbs.read_twiml(document) == (verbs.Say("a"), verbs.Pause(1.0))


def test_deep_nesting_is_one_unknown_verb() -> None:
    deep = "<Response>" + "<a>" * 7_000 + "</a>" * 7_000 + "</Response>"

    assert verbs.read_twiml(deep) == (verbs.Unknown("a"),)


@given(st.text() | st.binary())
def test_whatever_comes_it_is_verbs_or_a_refusal(document: str | bytes) -> None:
    with pytest.raises(CarrierProtocolError):
        verbs.read_twiml(document)


def test_whom_a_call_is_for_is_not_in_a_repr() -> None:
    connect = verbs.Connect("wss://b/m", parameters={"token": "secret"})

    assert "secret" not in repr(connect)
    assert "4930" not in repr(verbs.Dial("+4930901820"))
