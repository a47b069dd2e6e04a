"""Instructions that the bridge makes, and that an agent without a model understands."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bridge.ports import phrases

INSTRUCTIONS = (
    phrases.GO_ON,
    phrases.ASK_AGAIN,
    phrases.STILL_THERE,
    phrases.GOODBYE_SILENCE,
    phrases.GOODBYE_TIME,
)


@given(st.text())
def test_what_is_to_be_said_is_read_as_it_was(text: str) -> None:
    """Whatever it is, and though it sounds like an instruction itself."""
    assert phrases.read_say(phrases.say(text)) == text
    assert phrases.read_say(phrases.greet(text)) == text
    assert phrases.read_say(phrases.say(phrases.greet(text))) == phrases.greet(text)


@pytest.mark.parametrize("instructions", [*INSTRUCTIONS, "", "Say hello."])
def test_other_instructions_have_no_text_to_be_said(instructions: str) -> None:
    """The model finds its own words."""
    assert phrases.read_say(instructions) is None


def test_instructions_are_told_apart() -> None:
    """An agent that knows them by heart can act on each."""
    assert len(set(INSTRUCTIONS)) == len(INSTRUCTIONS)
