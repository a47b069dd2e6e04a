from __future__ import annotations

from typing import Any

import pytest

from bridge.providers.offline.answers import FAILED, aloud, failed


@pytest.mark.parametrize(
    ("output", "said"),
    [
        ("seven to six", "seven to six."),
        ("Is it?", "Is it?"),
        ("", "Done."),
        (None, "Done."),
        (True, "Yes."),
        (False, "No."),
        (42, "42."),
        (1.5, "1.5."),
        ([], "Nothing."),
        (["bread", "cake"], "bread, cake."),
        ({"opens": 7, "closing_time": "18:00"}, "opens 7, closing time 18:00."),
        ({"result": "open"}, "open."),
        ('{"result": [1, 2]}', "1, 2."),
        ("{not json", "{not json."),
        ({"a": {"b": [True]}}, "a b Yes."),
    ],
)
def test_answers_are_sentences(output: Any, said: str) -> None:
    """Whatever JSON can say has words, as JSON or as a text that holds it."""
    assert aloud(output) == said


@pytest.mark.parametrize("output", [{"error": "no such day"}, '{"error": {"code": 1}}'])
def test_an_error_is_an_apology(output: Any) -> None:
    """Its text is for the model, and this one does not read it out."""
    assert aloud(output) == FAILED


def test_only_a_real_error_is_one() -> None:
    assert failed({"error": "x"})
    assert not failed({"error": None, "result": 1})
    assert not failed("error")


def test_long_lists_are_cut() -> None:
    """Nobody listens to a thousand lines."""
    assert aloud(list(range(1000))) == "0, 1, 2, 3, 4, 5, 6, 7, 8, 9."
