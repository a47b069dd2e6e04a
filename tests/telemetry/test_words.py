from __future__ import annotations

import pytest

from bridge.telemetry.words import MAX_WORDS, OTHER, Words


@pytest.mark.parametrize("word", ["twilio", "hung_up", "gpt-realtime.2", "Fault:x"])
def test_words(word: str) -> None:
    """A word is a word, however often it is said."""
    words = Words()

    assert words("reason", word) == words("reason", word) == word


@pytest.mark.parametrize(
    "word",
    [
        "",
        "+14155550100",
        "CA0123456789abcdef",
        "caller4155550100",
        "two words",
        "x" * 65,
        "ünknown",
    ],
)
def test_what_is_no_word(word: str) -> None:
    """Numbers, ids and sentences have no place in a label."""
    assert Words()("reason", word) == OTHER


def test_there_are_never_too_many() -> None:
    """Each label has so many words; those it knows stay known."""
    words = Words()
    for index in range(MAX_WORDS):
        words("reason", f"r{index}")

    assert words("reason", "one_more") == OTHER
    assert words("reason", "r0") == "r0"
    assert words("tool", "one_more") == "one_more"
