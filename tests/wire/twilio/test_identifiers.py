"""What can be a key, a path or a word in a log."""

from __future__ import annotations

import pytest

from bridge.wire.twilio.identifiers import is_identifier


@pytest.mark.parametrize("text", ["CA" + "0" * 32, "x", "d-41:a_b", "A" * 128])
def test_identifiers_are_opaque(text: str) -> None:
    assert is_identifier(text)


@pytest.mark.parametrize("text", ["", " ", "a b", "a\n", "a\x00", "ä", "A" * 129, None, 7, b"CA"])
def test_what_no_key_can_carry_is_none(text: object) -> None:
    assert not is_identifier(text)
