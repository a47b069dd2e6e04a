"""TwiML as we write it, and as whoever plays Twilio's part reads it."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bridge.wire.twilio import twiml
from bridge.wire.twilio.twiml import Connect, Dial, Hangup, Reject, Say

STREAM = "wss://b.example/twilio/media"
ACTION = "https://b.example/twilio/next#rc=3&rp=all&ct=1000&rt=3000"
STATUS = "https://b.example/twilio/stream-status"


def test_a_call_is_connected_to_its_stream() -> None:
    """When the stream has ended, the action is asked; nothing else is in the document."""
    document = twiml.connect(STREAM, ACTION, STATUS, "T.ok-en_1")

    assert twiml.read_twiml(document) == (
        Connect(
            stream_url=STREAM,
            action=ACTION,
            method="POST",
            parameters={"token": "T.ok-en_1"},
            status_callback=STATUS,
            status_callback_method="POST",
        ),
    )


def test_a_token_that_twilio_would_cut_is_not_sent() -> None:
    longest = "x" * (twiml.MAX_PARAMETER_LENGTH - len(twiml.TOKEN))

    assert longest in twiml.connect(STREAM, ACTION, STATUS, longest)
    with pytest.raises(ValueError, match="too long"):
        twiml.connect(STREAM, ACTION, STATUS, longest + "x")


def test_hanging_up_with_and_without_words() -> None:
    assert twiml.read_twiml(twiml.hangup()) == (Hangup(),)
    assert twiml.read_twiml(twiml.hangup("Goodbye.")) == (Say("Goodbye."), Hangup())
    assert twiml.say_and_hangup("Goodbye.") == twiml.hangup("Goodbye.")


def test_a_full_house_refuses_in_words_or_by_the_busy_tone() -> None:
    words = "All lines are busy."

    assert twiml.read_twiml(twiml.busy(words)) == (Say(words), Hangup())
    assert twiml.read_twiml(twiml.busy()) == (Reject("busy"),)


def test_a_caller_is_transferred_to_a_number() -> None:
    document = twiml.transfer("+4930901820", "One moment.", ACTION, "+4930111")

    assert twiml.read_twiml(document) == (
        Say("One moment."),
        Dial("+4930901820", ACTION, "POST", "+4930111"),
    )
    assert "<Number>+4930901820</Number>" in document


def test_a_caller_is_transferred_to_a_sip_address() -> None:
    target = "sip:desk@pbx.example;transport=tls?X-Call=1&X-Why=2"
    document = twiml.transfer(target)

    assert twiml.read_twiml(document) == (Dial(target),)
    assert "<Sip>" in document


NUMBERS = ("", "911", "+0123", "+1 202 555 0100", "00491234", "+123456789012345678", "+4930\n")
ADDRESSES = ("sip:", "sip:a b@c", "sip:<a>@c", "sip:" + "a" * 1024, "client:bob", "tel:+491234")


@pytest.mark.parametrize("target", NUMBERS + ADDRESSES)
def test_what_is_neither_number_nor_address_is_not_dialled(target: str) -> None:
    assert not twiml.is_target(target)
    with pytest.raises(ValueError, match="neither an E"):
        twiml.transfer(target)


@given(st.text(min_size=1))
def test_any_words_make_a_document(words: str) -> None:
    """Markup is spoken as text; what XML cannot carry becomes a space."""
    verbs = twiml.read_twiml(twiml.hangup(words))

    assert verbs[-1] == Hangup()
    assert isinstance(verbs[0], Say)


def test_words_are_not_markup() -> None:
    words = "</Say><Dial>+1900555</Dial> & so on"

    assert twiml.read_twiml(twiml.hangup(words)) == (Say(words), Hangup())
