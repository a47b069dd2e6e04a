"""How a model is told of the caller's keys."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bridge.ports.conversation import pressed, read_pressed


def test_keys_are_told_one_by_one() -> None:
    """A model would read 42 as a number."""
    assert pressed("42#") == "The caller pressed 4 2 #."


@given(st.text("0123456789ABCD*#", min_size=1, max_size=40))
def test_and_read_as_they_were(digits: str) -> None:
    assert read_pressed(pressed(digits)) == digits


@pytest.mark.parametrize(
    "text",
    [
        "",
        "The caller pressed .",
        "The caller pressed 42.",
        "The caller pressed x.",
        "The caller pressed 4 2. And hung up.",
        "Yesterday I pressed 4 2 #.",
    ],
)
def test_what_somebody_only_says_is_no_key(text: str) -> None:
    assert read_pressed(text) is None
